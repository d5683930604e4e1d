// Small parts of the page: elements made without a line of HTML text, and words and numbers as its reader reads them.
import tongue from "./words.js";

/**
 * Say a text of the page in the reader's language: `say("{some} of {all} runs", { some, all })`.
 * Catalogues list these texts under `page`; a text that a catalogue lacks stays English.
 */
export function say(text, gaps = {}) {
  const found = tongue.words[text] ?? text;
  return found.replace(/\{(\w+)\}/g, (_, name) => aside(String(gaps[name] ?? "")));
}

/** A name or number in a sentence of another script stands by itself, so that it turns nothing around it. */
export const aside = (text) => (tongue.direction === "rtl" && text && !text.includes("\u2068") ? `\u2068${text}\u2069` : text);

/** Which way a sentence runs: one in the page's own language may begin with a name of another script. */
export const way = (text) => (tongue.direction === "rtl" && /[\u0590-\u08ff]/.test(text) ? "rtl" : "auto");

/** Write a number, as formatted in English, with the language's digits; powers of ten stay as they are. */
export function numeral(text) {
  if (!tongue.digits || text.includes("e")) return text;
  const [thousands, decimal, percent] = tongue.separators;
  const signs = { ",": thousands, ".": decimal, "%": percent };
  const turned = text.replace(" %", "%").replace(/[0-9,.%]/g, (sign) => signs[sign] ?? tongue.digits[sign]);
  return /^[-+\u2212]/.test(text) && tongue.direction === "rtl" ? `\u2066${turned}\u2069` : turned;
}

// Made once: `toLocaleString` makes its format anew for every number, which for 500 runs is a fifth of a second.
const WHOLE = new Intl.NumberFormat("en");
const DECIMAL = new Intl.NumberFormat("en", { maximumFractionDigits: 6 });

export const whole = (value) => numeral(WHOLE.format(Math.round(value)));

/** Names in a row, with what this language puts between them. */
export const listed = (names) => names.map(aside).join(say(", "));

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

export const percent = (share, digits = 1) => (known(share) ? numeral(`${(100 * share).toFixed(digits)} %`) : "");

export function number(value, digits = 4) {
  if (!known(value)) return "";
  const size = Math.abs(value);
  if (value !== 0 && (size < 1e-3 || size >= 1e6)) {
    const [mantissa, exponent] = value.toExponential(2).split("e");
    return `${mantissa.replace(/\.?0+$/, "")}e${Number(exponent)}`;
  }
  return numeral(DECIMAL.format(Number(value.toPrecision(digits))));
}

export function clock(seconds) {
  if (!known(seconds)) return "";
  const all = Math.round(seconds);
  const two = (part) => String(part).padStart(2, "0");
  if (all < 60) return say("{time} s", { time: numeral(String(all)) });
  if (all < 3600) return say("{time} min", { time: numeral(`${Math.floor(all / 60)}:${two(all % 60)}`) });
  return say("{time} h", { time: numeral(`${Math.floor(all / 3600)}:${two(Math.floor((all % 3600) / 60))}`) });
}

export function ago(seconds) {
  if (!known(seconds) || seconds <= 0) return "";
  const age = Math.max(0, Date.now() / 1000 - seconds);
  if (age < 5) return say("now");
  if (age < 90) return say("{time} s ago", { time: whole(age) });
  if (age < 5400) return say("{time} min ago", { time: whole(age / 60) });
  if (age < 129600) return say("{time} h ago", { time: whole(age / 3600) });
  return tongue.language === "en" ? new Date(seconds * 1000).toLocaleDateString("en-CA") : new Date(seconds * 1000).toLocaleDateString(tongue.language);
}

export const PHASES = {
  training: say("training"),
  evaluating: say("evaluating"),
  finished: say("finished"),
  interrupted: say("interrupted, saved"),
  stopped: say("ended early"),
  failed: say("failed"),
  log: say("log"),
};

export const VERDICTS = {
  too_low: say("too low"),
  about_right: say("about right"),
  too_high: say("too high"),
  undetermined: say("not clear"),
};

export function badge(kind, text, title) {
  return el("span", { class: `badge ${kind}`, title }, text);
}

export function bar(fraction) {
  const inner = document.createElement("i");
  inner.style.width = `${Math.round(1000 * Math.min(1, Math.max(0, fraction))) / 10}%`;
  return el("span", { class: "bar", role: "img", "aria-label": say("{share} done", { share: percent(fraction, 0) }) }, inner);
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
  const label = say("validation loss from {from} to {to}", { from: number(finite[0]), to: number(finite[finite.length - 1]) });
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
