// Curves as SVG: bands that keep every extreme, values under the pointer or the arrow keys, zoom by dragging, log scale.
import { el, known, number, numeral, percent, say, svg, way, whole } from "./parts.js";

const HEIGHT = 250;
const DASHES = ["", "7 3", "2 3", "9 3 2 3", "12 4", "4 2", "1 3", "6 2 2 2"];

function ticks(low, high, about = 5) {
  const raw = (high - low) / about || 1;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].find((factor) => factor * power >= raw * 0.999) * power;
  const found = [];
  for (let at = Math.ceil(low / step - 1e-9); at * step <= high + step * 1e-9; at += 1) found.push(Number((at * step).toPrecision(12)));
  return found;
}

function logTicks(low, high) {
  const first = Math.floor(Math.log10(low));
  const last = Math.ceil(Math.log10(high));
  const found = [];
  const step = Math.max(1, Math.ceil((last - first) / 6));
  for (let power = first; power <= last; power += step) {
    for (const factor of last - first <= 2 ? [1, 2, 5] : [1]) found.push(factor * 10 ** power);
  }
  return found.filter((tick) => tick >= low * 0.999 && tick <= high * 1.001);
}

/** One chart that can be given new curves each second without losing zoom, scale or pointer. */
export class Chart {
  /**
   * @param {{key: string, title: string, unit: string, by: string, log: boolean}} about
   * @param {(first: number, last: number) => Promise<object[]|null>} finer asks for a stretch in full detail
   */
  constructor(about, finer = null) {
    this.about = about;
    this.finer = finer;
    this.log = about.log;
    this.window = null;
    this.lines = [];
    this.marks = [];
    this.at = null;
    this.plot = el("div", { class: "plot", dir: "ltr", tabindex: 0, role: "group", "aria-roledescription": say("chart") });
    this.legend = el("ul", { class: "legend" });
    this.note = el("p", { class: "note" });
    this.tip = el("div", { class: "tip", dir: "auto", hidden: true });
    this.logButton = el("button", { class: "chip small", type: "button", "aria-pressed": String(this.log), onclick: () => this.toggleLog() }, say("log scale"));
    this.whole = el("button", { class: "chip small", type: "button", hidden: true, onclick: () => this.zoom(null) }, say("whole run"));
    this.node = el(
      "figure",
      { class: "chart sheet" },
      el("figcaption", {}, el("h2", {}, say(about.title)), el("span", { class: "options" }, this.whole, this.logButton)),
      this.legend,
      this.plot,
      this.note,
    );
    this.plot.addEventListener("pointermove", (event) => this.point(event));
    this.plot.addEventListener("pointerleave", () => this.show(null));
    this.plot.addEventListener("pointerdown", (event) => this.grab(event));
    this.plot.addEventListener("dblclick", () => this.zoom(null));
    this.plot.addEventListener("keydown", (event) => this.key(event));
    new ResizeObserver(() => this.draw()).observe(this.plot);
  }

  set(lines, marks = []) {
    this.marks = marks;
    if (this.window && this.finer) {
      this.refine();
      return;
    }
    this.lines = lines;
    this.draw();
  }

  toggleLog() {
    this.log = !this.log;
    this.logButton.setAttribute("aria-pressed", String(this.log));
    this.draw();
  }

  async zoom(window) {
    this.window = window;
    this.whole.hidden = !window;
    if (this.finer) await this.refine();
    else this.draw();
  }

  async refine() {
    const [first, last] = this.window || [-Infinity, Infinity];
    const lines = await this.finer(first, last);
    if (lines) this.lines = lines;
    this.draw();
  }

  visible() {
    if (!this.window) return this.lines;
    const [first, last] = this.window;
    return this.lines.map((line) => {
      const inside = line.x.map((x, place) => place).filter((place) => line.x[place] >= first && line.x[place] <= last);
      const pick = (values) => (values ? inside.map((place) => values[place]) : undefined);
      return { ...line, x: pick(line.x), mean: pick(line.mean), low: pick(line.low), high: pick(line.high) };
    });
  }

  draw() {
    const width = Math.max(220, this.plot.clientWidth || 480);
    const lines = this.visible();
    const usable = (value) => known(value) && (!this.log || value > 0);
    let [low, high, first, last] = [Infinity, -Infinity, Infinity, -Infinity];
    let [points, stretch, missing] = [0, 1, 0];
    for (const line of lines) {
      for (const values of [line.low || line.mean, line.high || line.mean]) {
        for (const value of values) if (usable(value)) [low, high] = [Math.min(low, value), Math.max(high, value)];
      }
      for (const x of line.x) [first, last] = [Math.min(first, x), Math.max(last, x)];
      points = Math.max(points, line.points || line.x.length);
      stretch = Math.max(stretch, line.width || 1);
      missing += line.missing || 0;
    }
    this.drawLegend(lines);
    this.note.textContent = this.told(points, stretch, missing);
    if (!(high >= low)) {
      this.plot.replaceChildren(el("p", { class: "note", dir: "auto" }, say("No values yet.")));
      return;
    }
    if (this.window) [first, last] = this.window;
    if (first === last) [first, last] = [first - 1, last + 1];
    if (low === high) [low, high] = this.log ? [low / 2, high * 2] : [low - (Math.abs(low) / 10 || 1), high + (Math.abs(high) / 10 || 1)];
    if (this.about.unit === "share" && !this.log) [low, high] = [Math.max(0, low), Math.min(1, high)];
    const pad = (high - low) * 0.04;
    if (!this.log) [low, high] = [low - pad, high + pad];
    const left = 58;
    const [right, top, bottom] = [width - 10, 8, HEIGHT - 34];
    const place = this.log ? (v) => (Math.log10(v) - Math.log10(low)) / (Math.log10(high) - Math.log10(low)) : (v) => (v - low) / (high - low);
    const px = (x) => left + ((x - first) / (last - first)) * (right - left);
    const py = (y) => bottom - place(y) * (bottom - top);
    this.frame = { left, right, top, bottom, first, last, px, py, usable, lines, width };
    const picture = svg("svg", { viewBox: `0 0 ${width} ${HEIGHT}`, height: HEIGHT, "aria-hidden": "true" });
    for (const tick of this.log ? logTicks(low, high) : ticks(low, high)) {
      picture.append(
        svg("line", { class: "gridline", x1: left, x2: right, y1: py(tick), y2: py(tick) }),
        svg("text", { x: left - 7, y: py(tick) + 4, "text-anchor": "end" }, this.about.unit === "share" ? numeral(`${Number((100 * tick).toFixed(2))} %`) : number(tick, 3)),
      );
    }
    picture.append(svg("line", { class: "axis", x1: left, x2: right, y1: bottom, y2: bottom }));
    const across = ticks(first, last, Math.max(2, Math.floor((right - left) / 90))).filter((tick) => Number.isInteger(tick));
    for (const tick of across) picture.append(svg("text", { x: px(tick), y: bottom + 17, "text-anchor": "middle" }, whole(tick)));
    picture.append(svg("text", { x: (left + right) / 2, y: HEIGHT - 3, "text-anchor": "middle" }, say(this.about.by)));
    for (const mark of this.marks) {
      if (mark.x < first || mark.x > last) continue;
      picture.append(svg("line", { class: "mark", x1: px(mark.x), x2: px(mark.x), y1: top, y2: bottom }, svg("title", {}, mark.label)));
    }
    lines.forEach((line, index) => this.drawLine(picture, line, line.colour ?? index));
    this.cross = svg("g", {});
    picture.append(this.cross);
    this.plot.replaceChildren(picture, this.tip);
    this.plot.setAttribute("aria-label", this.description(lines));
    this.show(this.at);
  }

  drawLine(picture, line, index) {
    const { px, py, usable } = this.frame;
    if (line.low) {
      let shape = "";
      let stretch = [];
      const close = () => {
        if (stretch.length) {
          const over = stretch.map((k) => `${px(line.x[k]).toFixed(1)},${py(line.high[k]).toFixed(1)}`);
          const under = stretch.toReversed().map((k) => `${px(line.x[k]).toFixed(1)},${py(line.low[k]).toFixed(1)}`);
          shape += `M${over.join("L")}L${under.join("L")}z`;
        }
        stretch = [];
      };
      line.x.forEach((_, k) => (usable(line.low[k]) && usable(line.high[k]) ? stretch.push(k) : close()));
      close();
      picture.append(svg("path", { class: `band f${index % 8}`, d: shape }));
    }
    let path = "";
    let down = false;
    line.x.forEach((x, k) => {
      const value = line.mean[k];
      if (!usable(value)) {
        down = false;
        return;
      }
      path += `${down ? "L" : "M"}${px(x).toFixed(1)},${py(value).toFixed(1)}`;
      down = true;
    });
    picture.append(svg("path", { class: `curve s${index % 8}`, d: path, "stroke-dasharray": DASHES[index % 8] || null }));
    if (line.x.length < 40) {
      line.x.forEach((x, k) => {
        if (usable(line.mean[k])) picture.append(svg("circle", { class: `f${index % 8}`, cx: px(x), cy: py(line.mean[k]), r: 2.6 }));
      });
    }
  }

  drawLegend(lines) {
    const several = lines.length > 1 || lines.some((line) => line.named);
    this.legend.replaceChildren(
      ...(several ? lines : []).map((line, index) => {
        const colour = (line.colour ?? index) % 8;
        const stroke = svg("line", { class: `s${colour}`, x1: 1, x2: 25, y1: 6, y2: 6, "stroke-width": 3, "stroke-dasharray": DASHES[colour] || null });
        return el("li", {}, svg("svg", { width: 26, height: 12, "aria-hidden": "true" }, stroke), el("span", { dir: "auto" }, this.named(line)));
      }),
    );
    this.legend.hidden = !several;
  }

  told(points, stretch, missing) {
    const said = [];
    if (stretch > 1) said.push(say("{points} values: line is the mean of every {stretch}, band their lowest to highest; drag to look closer.", { points: whole(points), stretch: whole(stretch) }));
    if (missing) said.push(say("{missing} not finite.", { missing: whole(missing) }));
    return said.join(" ");
  }

  description(lines) {
    const parts = lines.map((line) => {
      const values = line.mean.map((value, k) => [line.x[k], value]).filter(([, value]) => known(value));
      const label = this.named(line);
      if (!values.length) return say("{label}: no values.", { label });
      const [[first, from], [last, to]] = [values[0], values[values.length - 1]];
      return say("{label}: {from} at {by} {first} to {to} at {last}.", { label, from: number(from), by: say(this.about.by), first: whole(first), to: number(to), last: whole(last) });
    });
    return [say("{title}.", { title: say(this.about.title) }), ...parts, say("Arrow keys read values.")].join(" ");
  }

  named(line) {
    return line.named ? line.label : say(line.label);
  }

  nearest(x) {
    let best = null;
    for (const line of this.frame.lines) {
      for (const at of line.x) if (best === null || Math.abs(at - x) < Math.abs(best - x)) best = at;
    }
    return best;
  }

  toX(event) {
    const { left, right, first, last, width } = this.frame;
    const box = this.plot.getBoundingClientRect();
    const pixel = ((event.clientX - box.left) / box.width) * width;
    return first + ((Math.min(right, Math.max(left, pixel)) - left) / (right - left)) * (last - first);
  }

  point(event) {
    if (!this.frame || !this.plot.querySelector("svg")) return;
    if (this.held !== undefined) {
      const { px, top, bottom } = this.frame;
      const [a, b] = [px(this.held), px(this.toX(event))].sort((one, other) => one - other);
      this.cross.replaceChildren(svg("rect", { class: "drag", x: a, y: top, width: b - a, height: bottom - top }));
      return;
    }
    this.show(this.nearest(this.toX(event)));
  }

  grab(event) {
    if (!this.frame || event.button !== 0 || event.pointerType === "touch") return;
    this.held = this.toX(event);
    const release = (up) => {
      removeEventListener("pointerup", release);
      const [a, b] = [this.held, this.toX(up)].sort((one, other) => one - other);
      this.held = undefined;
      this.show(null);
      if (this.frame.px(b) - this.frame.px(a) > 8) this.zoom([a, b]);
    };
    addEventListener("pointerup", release);
  }

  key(event) {
    if (!this.frame || event.target !== this.plot) return;
    const all = [...new Set(this.frame.lines.flatMap((line) => line.x))].sort((a, b) => a - b);
    const here = this.at === null ? all.length : all.indexOf(this.at);
    const moves = { ArrowLeft: here - 1, ArrowRight: here + 1, Home: 0, End: all.length - 1 };
    if (event.key === "Escape") this.show(null);
    else if (event.key in moves) this.show(all[Math.min(all.length - 1, Math.max(0, moves[event.key]))]);
    else return;
    event.preventDefault();
  }

  show(x) {
    this.at = x;
    if (!this.cross) return;
    const rows = x === null || !this.frame ? [] : this.frame.lines.flatMap((line) => this.row(line, x));
    this.tip.hidden = rows.length === 0;
    if (!rows.length) {
      this.cross.replaceChildren();
      return;
    }
    const { px, top, bottom, width } = this.frame;
    this.cross.replaceChildren(svg("line", { class: "cross", x1: px(x), x2: px(x), y1: top, y2: bottom }));
    const mark = this.marks.filter((each) => each.x === x).map((each) => each.label);
    const told = [say("{by} {number}", { by: say(this.about.by), number: whole(x) }), ...rows, ...mark].join("\n");
    this.tip.textContent = told;
    this.tip.dir = way(told);
    const right = px(x) > width / 2;
    const share = (100 * px(x)) / width;
    this.tip.style.insetInlineStart = right ? "auto" : `calc(${share}% + 10px)`;
    this.tip.style.insetInlineEnd = right ? `calc(${100 - share}% + 10px)` : "auto";
  }

  row(line, x) {
    const k = line.x.indexOf(x);
    if (k < 0 || !known(line.mean[k])) return [];
    const unit = this.about.unit;
    const write = (value) => (unit === "share" ? percent(value) : unit ? say("{value} {unit}", { value: number(value), unit: say(unit) }) : number(value));
    const gaps = { label: this.named(line), value: write(line.mean[k]) };
    if (!line.low || line.width <= 1) return [say("{label}: {value}", gaps)];
    return [say("{label}: {value} ({low} to {high})", { ...gaps, low: write(line.low[k]), high: write(line.high[k]) })];
  }
}
