// Small parts of the page: elements made without a line of HTML text, and numbers as people read them.

/** Make an element; text is always text, never markup. */
export function el(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (key === "class") node.className = value;
    else node.setAttribute(key, value === true ? "" : String(value));
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

/** Make an SVG element. */
export function svg(name, attributes = {}, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== null) node.setAttribute(key, String(value));
  }
  node.append(...children.flat());
  return node;
}

export const known = (value) => typeof value === "number" && Number.isFinite(value);

export const percent = (share, digits = 1) => (known(share) ? `${(100 * share).toFixed(digits)} %` : "");

export function number(value, digits = 4) {
  if (!known(value)) return "";
  const size = Math.abs(value);
  if (value !== 0 && (size < 1e-3 || size >= 1e6)) {
    const [mantissa, exponent] = value.toExponential(2).split("e");
    return `${mantissa.replace(/\.?0+$/, "")}e${Number(exponent)}`;
  }
  return Number(value.toPrecision(digits)).toLocaleString("en", { maximumFractionDigits: 6 });
}

export function clock(seconds) {
  if (!known(seconds)) return "";
  const whole = Math.round(seconds);
  const two = (part) => String(part).padStart(2, "0");
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)}:${two(whole % 60)} min`;
  return `${Math.floor(whole / 3600)}:${two(Math.floor((whole % 3600) / 60))} h`;
}

export function ago(seconds) {
  if (!known(seconds) || seconds <= 0) return "";
  const age = Math.max(0, Date.now() / 1000 - seconds);
  if (age < 5) return "now";
  if (age < 90) return `${Math.round(age)} s ago`;
  if (age < 5400) return `${Math.round(age / 60)} min ago`;
  if (age < 129600) return `${Math.round(age / 3600)} h ago`;
  return new Date(seconds * 1000).toLocaleDateString("en-CA");
}

export const PHASES = {
  training: "training",
  evaluating: "evaluating",
  finished: "finished",
  interrupted: "interrupted, saved",
  stopped: "ended early",
  failed: "failed",
  log: "log",
};

export const VERDICTS = {
  too_low: "too low",
  about_right: "about right",
  too_high: "too high",
  undetermined: "not clear",
};

export function badge(kind, text, title) {
  return el("span", { class: `badge ${kind}`, title }, text);
}

export function bar(fraction) {
  const inner = document.createElement("i");
  inner.style.width = `${Math.round(1000 * Math.min(1, Math.max(0, fraction))) / 10}%`;
  return el("span", { class: "bar", role: "img", "aria-label": `${percent(fraction, 0)} done` }, inner);
}

/** A curve of a few dozen values, 84 by 24 pixels. */
export function spark(values) {
  const usable = values.map((value) => (known(value) ? value : null));
  const finite = usable.filter((value) => value !== null);
  if (finite.length < 2) return null;
  const low = Math.min(...finite);
  const span = Math.max(...finite) - low || 1;
  let path = "";
  let down = false;
  usable.forEach((value, place) => {
    if (value === null) {
      down = false;
      return;
    }
    const x = 2 + (80 * place) / (usable.length - 1);
    path += `${down ? "L" : "M"}${x.toFixed(1)},${(22 - (20 * (value - low)) / span).toFixed(1)}`;
    down = true;
  });
  const label = `validation loss from ${number(finite[0])} to ${number(finite[finite.length - 1])}`;
  return svg("svg", { class: "spark", viewBox: "0 0 84 24", width: 84, height: 24, role: "img", "aria-label": label }, svg("path", { d: path }));
}

let hushing = 0;

/** Say something at the foot of the page for a while. */
export function toast(text) {
  const place = document.getElementById("say");
  place.textContent = text;
  place.classList.add("on");
  clearTimeout(hushing);
  hushing = setTimeout(() => place.classList.remove("on"), 6000);
}
