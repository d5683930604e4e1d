"use strict";
const words = JSON.parse(document.body.dataset.words);
const persian = words.digits;
const numerals = (text) => (persian ? String(text).replace(/\d/g, (digit) => persian[digit]) : String(text));
const make = (name, facts, text) => {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(facts)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  return element;
};
const button = (label, act) => {
  const element = document.createElement("button");
  element.type = "button";
  element.textContent = label;
  element.addEventListener("click", () => act(element));
  return element;
};

// Copying: a command, or a table as CSV. Without a clipboard, which some browsers keep from files, it is selected.
const copy = async (text, element, pressed) => {
  const label = pressed.dataset.label || (pressed.dataset.label = pressed.textContent);
  try {
    await navigator.clipboard.writeText(text);
    pressed.textContent = words.copied;
  } catch {
    getSelection().selectAllChildren(element);
    pressed.textContent = words.selected;
  }
  setTimeout(() => { pressed.textContent = label; }, 1800);
};
for (const pressed of document.querySelectorAll(".copy")) {
  const code = pressed.parentElement.querySelector("code");
  pressed.hidden = false;
  pressed.addEventListener("click", () => copy(code.textContent, code, pressed));
}
const quoted = (cell) => (/[",\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
for (const place of document.querySelectorAll("[data-csv]")) {
  const first = place.querySelector("table");
  if (!first) continue;
  const pressed = button(words.csv, () => {
    const rows = [...first.querySelectorAll("thead tr"), ...place.querySelectorAll("tbody tr")];
    const lines = rows.map((row) => [...row.children].map((cell) => quoted(cell.dataset.plain ?? cell.textContent.trim())).join(","));
    copy(lines.join("\n"), first, pressed);
  });
  pressed.className = "csv";
  first.closest(".scroll").after(pressed);
}

// A part that scrolls can be reached with the keyboard, and one that does not is no stop on the way.
const scrolled = [...document.querySelectorAll(".scroll, pre")];
const reach = new ResizeObserver(() => {
  for (const part of scrolled) {
    if (part.scrollWidth > part.clientWidth || part.scrollHeight > part.clientHeight) part.tabIndex = 0;
    else part.removeAttribute("tabindex");
  }
});
for (const part of scrolled) { reach.observe(part); }

const nice = (low, high, about) => {
  const raw = (high - low) / about, power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= raw * 0.999);
  const ticks = [];
  for (let index = Math.ceil(low / step - 1e-9); index <= Math.floor(high / step + 1e-9); index += 1) ticks.push(index * step);
  return [ticks, step];
};
const logs = (low, high) => {
  const ticks = [], first = Math.floor(Math.log10(low)), last = Math.ceil(Math.log10(high));
  const factors = last - first > 3 ? [1] : [1, 2, 5], stride = Math.max(1, Math.ceil((last - first) / 8));
  for (let power = first; power <= last; power += stride) {
    for (const factor of factors) {
      const tick = factor * 10 ** power;
      if (tick >= low * 0.999 && tick <= high * 1.001) ticks.push(tick);
    }
  }
  return ticks;
};
const said = (value, step) => {
  const size = Math.max(Math.abs(value), Math.abs(step));
  if (value && (size >= 1e6 || size < 1e-3)) return numerals(Number(value.toPrecision(3)).toExponential().replace("e+", "e"));
  return numerals(value.toFixed(Math.max(0, -Math.floor(Math.log10(Math.abs(step)) + 1e-9))));
};
const exact = (value) => (value === null ? "–" : numerals(Number(value.toPrecision(4))));

// Curves: read with the pointer or the arrow keys, zoomed by dragging or with + and -, linear or logarithmic.
for (const figure of document.querySelectorAll("figure.curves")) {
  const facts = JSON.parse(figure.querySelector("script").textContent);
  const places = [...new Set(facts.lines.flatMap((line) => line.x))].filter((x) => x !== null).sort((a, b) => a - b);
  if (!places.length) continue;
  const plot = figure.querySelector(".plot"), reading = figure.querySelector(".reading"), tools = figure.querySelector(".tools");
  const svgs = [...plot.querySelectorAll("svg.tw-curves")];
  const whole = [Number(svgs[0].dataset.low), Number(svgs[0].dataset.high)];
  let view = whole, log = facts.log, at = -1;
  const inside = () => places.map((x, index) => index).filter((index) => places[index] >= view[0] && places[index] <= view[1]);
  const values = (line) => {
    const seen = line.y.filter((y, index) => y !== null && line.x[index] >= view[0] && line.x[index] <= view[1]);
    return log ? seen.filter((y) => y > 0) : seen;
  };
  const redraw = () => {
    const all = facts.lines.flatMap(values);
    let [low, high] = facts.range && !log ? facts.range : [Math.min(...all), Math.max(...all)];
    if (!all.length) [low, high] = log ? [0.1, 1] : [0, 1];
    const margin = log ? 1.1 : (high - low) * 0.05 || Math.abs(low) * 0.1 || 1;
    if (log) [low, high] = [low / margin, high * margin];
    else if (!facts.range) [low, high] = [low - margin, high + margin];
    for (const svg of svgs) {
      const [left, right, top, bottom] = ["left", "right", "top", "bottom"].map((name) => Number(svg.dataset[name]));
      const scaled = (y) => (log ? Math.log10(y) : y);
      const px = (x) => left + ((x - view[0]) / (view[1] - view[0] || 1)) * (right - left);
      const py = (y) => bottom - ((scaled(y) - scaled(low)) / (scaled(high) - scaled(low) || 1)) * (bottom - top);
      const frame = svg.querySelector(".scale"), marks = svg.querySelector(".events");
      frame.replaceChildren();
      marks.replaceChildren();
      const [across, step] = nice(view[0], view[1], Math.max(3, Math.floor((right - left) / 90)));
      const [up, rise] = log ? [logs(low, high), 0] : nice(low, high, 5);
      for (const tick of up) {
        frame.append(make("path", { class: "grid", d: `M${left},${py(tick)}H${right}` }));
        frame.append(make("text", { class: "dim end", x: left - 8, y: py(tick) + 4 }, said(tick, rise || tick)));
      }
      frame.append(make("path", { class: "axis", d: `M${left},${bottom}H${right}` }));
      for (const tick of across) {
        frame.append(make("path", { class: "axis", d: `M${px(tick)},${bottom}v5` }));
        frame.append(make("text", { class: "dim middle", x: px(tick), y: bottom + 19 }, said(tick, step)));
      }
      if (facts.diagonal && !log) {
        const [from, to] = [Math.max(view[0], low), Math.min(view[1], high)];
        if (to > from) frame.append(make("path", { class: "diagonal", d: `M${px(from)},${py(from)}L${px(to)},${py(to)}` }));
      }
      for (const mark of facts.marks) {
        const until = mark.until ?? mark.x;
        if (until < view[0] || mark.x > view[1]) continue;
        const x = px(Math.max(mark.x, view[0])), end = px(Math.min(until, view[1]));
        if (end > x) marks.append(make("path", { class: "stretch", d: `M${x},${top}H${end}V${bottom}H${x}z` }));
        if (mark.x >= view[0]) marks.append(make("path", { class: "mark", d: `M${x},${top - 4}V${bottom}` }));
        const late = x > (left + right) / 2;
        const label = make("text", { class: `small halo${late ? " end" : ""}`, x, y: top - 8 }, mark.label);
        marks.append(label);
      }
      const panes = [...svg.querySelectorAll(".inside > path.line")];
      svg.querySelectorAll(".inside > path:not(.line)").forEach((dot) => dot.remove());
      panes.forEach((pane, index) => {
        const line = facts.lines[index];
        let path = "", down = false;
        const seen = values(line).length, every = seen <= 40 ? 1 : facts.lines.length > 1 ? Math.floor(seen / 8) : 1e9;
        let number = Math.floor(every / 2);
        line.x.forEach((x, place) => {
          const y = line.y[place], known = x !== null && y !== null && (!log || y > 0);
          if (known) {
            path += `${down ? "L" : "M"}${px(x).toFixed(1)},${py(y).toFixed(1)}`;
            if (x >= view[0] && x <= view[1] && number++ % every === 0) {
              const marker = svg.querySelector(`.key [class~="fill${index % 8}"]`);
              if (marker) pane.parentNode.append(make("path", { class: marker.getAttribute("class"), d: marker.getAttribute("d"), transform: `translate(${px(x)},${py(y)})` }));
            }
          }
          down = known;
        });
        pane.setAttribute("d", path);
      });
    }
    reset.disabled = view[0] === whole[0] && view[1] === whole[1];
  };
  const hide = () => { reading.hidden = true; for (const svg of svgs) svg.querySelector(".cross")?.remove(); };
  const show = (svg, index) => {
    hide();
    at = Math.max(0, Math.min(places.length - 1, index));
    const [left, right, top, bottom] = ["left", "right", "top", "bottom"].map((name) => Number(svg.dataset[name]));
    const x = left + ((places[at] - view[0]) / (view[1] - view[0] || 1)) * (right - left);
    svg.append(make("path", { class: "cross", d: `M${x},${top}V${bottom}` }));
    const lines = [`${facts.x_label}  ${exact(places[at])}`];
    for (const line of facts.lines) {
      const place = line.x.indexOf(places[at]);
      if (place >= 0) lines.push(`${line.label}  ${exact(line.y[place])}`);
    }
    for (const mark of facts.marks) {
      if (mark.x === places[at] || (mark.until !== null && mark.x <= places[at] && places[at] <= mark.until)) lines.push(`▸ ${mark.label}`);
    }
    reading.textContent = lines.join("\n");
    reading.hidden = false;
    const box = svg.getBoundingClientRect(), home = plot.getBoundingClientRect(), wide = svg.viewBox.baseVal;
    const place = box.left - home.left + (x / wide.width) * box.width;
    const room = place + 14 + reading.offsetWidth < home.width;
    reading.style.left = `${Math.max(0, room ? place + 14 : place - 14 - reading.offsetWidth)}px`;
    reading.style.top = `${box.top - home.top + (top / wide.height) * box.height + 6}px`;
  };
  const zoom = (low, high) => {
    const least = (whole[1] - whole[0]) / 1e4;
    if (!(high - low > least)) return;
    view = [Math.max(whole[0], low), Math.min(whole[1], high)];
    hide();
    redraw();
  };
  const scale = (factor) => {
    const middle = at >= 0 && places[at] >= view[0] && places[at] <= view[1] ? places[at] : (view[0] + view[1]) / 2;
    zoom(middle - (middle - view[0]) * factor, middle + (view[1] - middle) * factor);
  };
  const shift = (share) => {
    const wide = view[1] - view[0];
    const low = Math.max(whole[0], Math.min(whole[1] - wide, view[0] + share * wide));
    zoom(low, low + wide);
  };
  const closer = button("+", () => scale(0.5)), further = button("\u2212", () => scale(2));
  closer.setAttribute("aria-label", words.closer);
  further.setAttribute("aria-label", words.further);
  const reset = button(words.reset, () => zoom(...whole));
  reset.disabled = true;
  tools.append(closer, further, reset);
  if (facts.lines.some((line) => line.y.some((y) => y > 0)) && !facts.diagonal) {
    const pressed = button(words.log, () => { log = !log; pressed.setAttribute("aria-pressed", log); redraw(); });
    pressed.setAttribute("aria-pressed", log);
    tools.append(pressed);
  }
  tools.hidden = false;
  for (const svg of svgs) {
    const [left, right] = [Number(svg.dataset.left), Number(svg.dataset.right)];
    const value = (event) => {
      const box = svg.getBoundingClientRect();
      const x = ((event.clientX - box.left) / box.width) * svg.viewBox.baseVal.width;
      return view[0] + (Math.max(0, Math.min(1, (x - left) / (right - left)))) * (view[1] - view[0]);
    };
    const nearest = (x) => {
      let best = -1;
      for (const index of inside()) if (best < 0 || Math.abs(places[index] - x) < Math.abs(places[best] - x)) best = index;
      return best;
    };
    let from = null, shade = null;
    svg.setAttribute("tabindex", "0");
    svg.addEventListener("pointerdown", (event) => { from = value(event); svg.setPointerCapture(event.pointerId); });
    svg.addEventListener("pointermove", (event) => {
      const x = value(event);
      if (from === null) { const index = nearest(x); if (index >= 0) show(svg, index); return; }
      shade?.remove();
      const px = (number) => left + ((number - view[0]) / (view[1] - view[0])) * (right - left);
      shade = make("rect", { class: "chosen", x: Math.min(px(from), px(x)), width: Math.abs(px(x) - px(from)), y: svg.dataset.top, height: svg.dataset.bottom - svg.dataset.top });
      svg.append(shade);
    });
    const drop = () => { from = null; shade?.remove(); shade = null; };
    svg.addEventListener("pointerup", (event) => {
      const start = from, end = value(event);
      drop();
      if (start !== null && Math.abs(end - start) > (view[1] - view[0]) / 50) zoom(Math.min(start, end), Math.max(start, end));
    });
    svg.addEventListener("pointercancel", drop);
    svg.addEventListener("dblclick", () => zoom(...whole));
    svg.addEventListener("pointerleave", hide);
    svg.addEventListener("blur", hide);
    svg.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const seen = inside(), step = { ArrowRight: 1, ArrowLeft: -1, PageDown: 10, PageUp: -10 }[event.key];
      if (step && event.shiftKey) shift(0.25 * Math.sign(step));
      else if (step && seen.length) show(svg, at < seen[0] || at > seen.at(-1) ? seen[step > 0 ? 0 : seen.length - 1] : Math.max(seen[0], Math.min(seen.at(-1), at + step)));
      else if (event.key === "Home" && seen.length) show(svg, seen[0]);
      else if (event.key === "End" && seen.length) show(svg, seen.at(-1));
      else if (event.key === "+" || event.key === "=") scale(0.5);
      else if (event.key === "-") scale(2);
      else if (event.key === "0") zoom(...whole);
      else if (event.key === "l" && !facts.diagonal) tools.querySelector("[aria-pressed]")?.click();
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

// Drawings: parts that have something to say say it on hover and with the arrow keys.
for (const place of document.querySelectorAll("figure.drawing .scroll")) {
  const parts = [...place.querySelectorAll("[data-says]")], svg = place.querySelector("svg");
  if (!parts.length) continue;
  const reading = document.createElement("output");
  reading.className = "reading";
  reading.hidden = true;
  place.parentElement.append(reading);
  let at = -1;
  const hide = () => { reading.hidden = true; place.querySelector(".chosen-part")?.classList.remove("chosen-part"); };
  const show = (index) => {
    hide();
    at = Math.max(0, Math.min(parts.length - 1, index));
    parts[at].classList.add("chosen-part");
    reading.textContent = parts[at].dataset.says;
    reading.hidden = false;
    const box = parts[at].getBoundingClientRect(), home = place.parentElement.getBoundingClientRect();
    reading.style.left = `${Math.max(0, Math.min(box.left - home.left, home.width - reading.offsetWidth))}px`;
    reading.style.top = `${box.bottom - home.top + 8}px`;
  };
  svg.setAttribute("tabindex", "0");
  for (const [index, part] of parts.entries()) {
    part.querySelector("title")?.remove();
    part.addEventListener("pointerenter", () => show(index));
    part.addEventListener("pointerleave", hide);
  }
  svg.addEventListener("blur", hide);
  svg.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (step) show(at + step);
    else if (event.key === "Home") show(0);
    else if (event.key === "End") show(parts.length - 1);
    else if (event.key === "Escape") hide();
    else return;
    event.preventDefault();
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

// A link into a folded part opens it.
const unfold = () => { const part = document.getElementById(decodeURIComponent(location.hash.slice(1))); for (let up = part; up; up = up.parentElement) if (up.tagName === "DETAILS") up.open = true; };
addEventListener("hashchange", unfold);
unfold();
