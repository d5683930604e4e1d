"use strict";
// Reading values: the numbers are taken from the table under the figure, so nothing is stored twice.
for (const figure of document.querySelectorAll("figure.curves")) {
  const names = [...figure.querySelectorAll("thead th")].map((cell) => cell.textContent);
  const rows = [...figure.querySelectorAll("tbody tr")].map((row) => [...row.children].map((cell) => cell.textContent));
  const places = rows.map((row) => Number(row[0]));
  const plot = figure.querySelector(".plot");
  const reading = figure.querySelector(".reading");
  if (!rows.length) continue;
  for (const svg of plot.querySelectorAll("svg.tw-curves")) {
    const facts = Object.fromEntries(Object.entries(svg.dataset).map(([name, value]) => [name, Number(value)]));
    const cross = document.createElementNS("http://www.w3.org/2000/svg", "path");
    cross.setAttribute("class", "cross");
    svg.append(cross);
    svg.setAttribute("tabindex", "0");
    let at = -1;
    const show = (index) => {
      at = Math.max(0, Math.min(rows.length - 1, index));
      const share = (places[at] - facts.low) / (facts.high - facts.low || 1);
      const x = facts.left + share * (facts.right - facts.left);
      cross.setAttribute("d", `M${x},${facts.top}V${facts.bottom}`);
      reading.textContent = rows[at].map((cell, column) => (cell ? `${names[column]}  ${cell}` : "")).filter(Boolean).join("\n");
      reading.hidden = false;
      const box = svg.getBoundingClientRect(), home = plot.getBoundingClientRect();
      const left = box.left - home.left + (x / svg.viewBox.baseVal.width) * box.width;
      const room = left + 14 + reading.offsetWidth < home.width;
      reading.style.left = `${Math.max(0, room ? left + 14 : left - 14 - reading.offsetWidth)}px`;
      reading.style.top = `${box.top - home.top + (facts.top / svg.viewBox.baseVal.height) * box.height + 6}px`;
    };
    const hide = () => { reading.hidden = true; cross.removeAttribute("d"); };
    svg.addEventListener("pointermove", (event) => {
      const box = svg.getBoundingClientRect();
      const x = ((event.clientX - box.left) / box.width) * svg.viewBox.baseVal.width;
      const value = facts.low + ((x - facts.left) / (facts.right - facts.left)) * (facts.high - facts.low);
      let best = 0;
      places.forEach((place, index) => { if (Math.abs(place - value) < Math.abs(places[best] - value)) best = index; });
      show(best);
    });
    svg.addEventListener("pointerleave", hide);
    svg.addEventListener("blur", hide);
    svg.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1, PageDown: 10, PageUp: -10 }[event.key];
      if (step) show(at + step);
      else if (event.key === "Home") show(0);
      else if (event.key === "End") show(rows.length - 1);
      else if (event.key === "Escape") hide();
      else return;
      event.preventDefault();
    });
  }
}
// Sliding between two pictures: what lies on top is cut off where the slider, or the pointer, stands.
for (const pair of document.querySelectorAll(".compared")) {
  const slider = pair.querySelector("input"), frame = pair.querySelector(".frame");
  const cut = (share) => { frame.style.setProperty("--at", `${share}%`); };
  slider.hidden = false;
  slider.addEventListener("input", () => cut(slider.value));
  frame.addEventListener("pointermove", (event) => {
    const box = frame.getBoundingClientRect();
    slider.value = Math.max(0, Math.min(100, 100 * (event.clientX - box.left) / box.width));
    cut(slider.value);
  });
}
// Copying a command; without a clipboard it is selected instead.
for (const button of document.querySelectorAll(".copy")) {
  const code = button.parentElement.querySelector("code"), label = button.textContent;
  button.hidden = false;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(code.textContent);
      button.textContent = document.body.dataset.copied;
      setTimeout(() => { button.textContent = label; }, 1500);
    } catch {
      getSelection().selectAllChildren(code);
    }
  });
}
// The contents say where the reader is.
const links = new Map([...document.querySelectorAll("nav a")].map((link) => [link.hash.slice(1), link]));
const seen = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    if (!entry.isIntersecting) continue;
    for (const link of links.values()) link.removeAttribute("aria-current");
    links.get(entry.target.id)?.setAttribute("aria-current", "true");
  }
}, { rootMargin: "0px 0px -75% 0px" });
for (const id of links.keys()) { const part = document.getElementById(id); if (part) seen.observe(part); }
