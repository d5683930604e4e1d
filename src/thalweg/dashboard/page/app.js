// The live page: a stream of what changed keeps a table, a run or a comparison true, once a second.
import { Chart } from "./charts.js";
import { PHASES, VERDICTS, ago, aside, badge, bar, clock, el, known, number, percent, listed, say, spark, toast, way, whole } from "./parts.js";

const main = document.getElementById("main");
const runs = new Map();
const details = new Map();
const picked = new Set();
let stream = null;
let view = null;
let told = false; // whether the stream has said which runs there are

// --- talking to the server --------------------------------------------------------------------------------------

async function ask(path, options = {}) {
  const answer = await fetch(path, { headers: { "x-thalweg": "1" }, ...options });
  const refused = say("the server answered {status}", { status: answer.status });
  const body = await answer.json().catch(() => ({ error: refused }));
  if (!answer.ok) throw new Error(body.error || refused);
  return body;
}

function pulse(kind, text) {
  document.getElementById("pulse").className = `pulse ${kind}`;
  const place = document.getElementById("pulse-text");
  if (place.textContent !== text) place.textContent = text;
}

function listen(keys) {
  stream?.close();
  stream = new EventSource(`/api/events?runs=${keys.join(",")}`);
  stream.addEventListener("open", () => pulse("live", say("live")));
  stream.addEventListener("error", () => pulse("lost", say("server gone, trying again")));
  stream.addEventListener("rows", (event) => {
    const { changed, gone, folder } = JSON.parse(event.data);
    if (folder !== undefined) {
      document.getElementById("folder").textContent = folder;
      for (const key of runs.keys()) if (!(key in changed)) runs.delete(key); // gone while no stream was open
    }
    told = true;
    for (const [key, state] of Object.entries(changed)) runs.set(key, state);
    for (const key of gone) runs.delete(key);
    view?.update();
  });
  stream.addEventListener("run", (event) => {
    const found = JSON.parse(event.data);
    details.set(found.key, found);
    view?.update(found.key);
  });
}

async function act(key, what) {
  try {
    await ask(`/api/runs/${key}/${what}`, { method: "POST" });
    toast(what === "stop" ? say("Asked to stop: it saves after the step under way.") : say("Resuming: loading its files takes a moment."));
  } catch (error) {
    toast(error.message);
  }
}

// --- shared pieces ----------------------------------------------------------------------------------------------

function progress(state) {
  if (!state.running || !known(state.fraction)) return null;
  return bar(state.fraction);
}

function phase(state) {
  const notice = state.notice === "resuming" ? badge("training", say("resuming")) : null;
  return el("span", {}, notice || badge(state.phase, PHASES[state.phase] || state.phase, state.message || undefined), progress(state));
}

function verdict(state) {
  return state.verdict ? badge(state.verdict, VERDICTS[state.verdict] || state.verdict, state.verdict_line) : null;
}

function epochs(state) {
  return state.epochs ? say("{epoch} of {epochs}", { epoch: whole(state.epoch), epochs: whole(state.epochs) }) : state.epoch ? whole(state.epoch) : "";
}

/** What network on what data; names stay as they are. */
function madeOf(state) {
  const { network, source } = state;
  return network && source ? say("{network} on {source}", { network, source }) : network || source;
}

const bestKnown = (state) => (known(state.accuracy) ? state.accuracy : state.val_accuracy);

function actions(key, state) {
  return [
    state.phase === "training" && el("button", { class: "button stop", type: "button", onclick: () => act(key, "stop") }, say("Save and stop")),
    state.resumable && el("button", { class: "button main", type: "button", onclick: () => act(key, "resume") }, say("Resume")),
    state.report && el("a", { class: "button", href: `/api/runs/${key}/report`, target: "_blank", rel: "noopener" }, say("Report"), el("span", { class: "hush" }, " ", say("(new tab)"))),
  ].filter(Boolean);
}

// --- the table --------------------------------------------------------------------------------------------------

const COLUMNS = [
  { key: "name", label: say("Run"), sort: (s) => s.name },
  { key: "phase", label: say("State"), sort: (s) => `${s.running ? 0 : 1}${s.phase}` },
  { key: "epoch", label: say("Epoch"), sort: (s) => s.epoch, number: true },
  { key: "accuracy", label: say("Accuracy"), sort: bestKnown, number: true },
  { key: "val_loss", label: say("Validation loss"), sort: (s) => s.val_loss, number: true },
  { key: "rate", label: say("Learning rate"), sort: (s) => s.learning_rate },
  { key: "speed", label: say("Images/s"), sort: (s) => s.images_per_second, number: true },
  { key: "left", label: say("Time left"), sort: (s) => s.seconds_left, number: true },
  { key: "updated", label: say("Changed"), sort: (s) => s.updated, number: true },
];
const FILTERS = {
  all: [say("All"), () => true],
  running: [say("Running"), (s) => s.running],
  finished: [say("Finished"), (s) => s.phase === "finished"],
  halted: [say("Interrupted"), (s) => s.resumable],
  warned: [say("With warnings"), (s) => s.phase === "failed" || s.warnings.length > 0],
};
const AT_ONCE = 40;
const wanted = { text: "", filter: "all", sort: "updated", down: true };

function cellsOf(key, state) {
  const [low, high] = state.accuracy_interval;
  const interval = known(low) ? say("{low} to {high}", { low: percent(low), high: percent(high) }) : known(state.val_accuracy) ? say("last epoch") : "";
  const warnings = listed(state.warning_words);
  return {
    name: [el("a", { href: `#/run/${key}`, dir: "auto" }, state.name), el("div", { class: "under" }, madeOf(state)), warnings && el("div", { class: "under" }, badge("warning", warnings))],
    phase: [phase(state)],
    epoch: [epochs(state)],
    accuracy: [el("div", {}, percent(bestKnown(state)), el("div", { class: "under" }, interval))],
    val_loss: [el("div", {}, number(state.val_loss), spark(state.trail))],
    rate: [el("div", {}, number(state.learning_rate, 3), " ", verdict(state))],
    speed: [known(state.images_per_second) ? whole(state.images_per_second) : ""],
    left: [state.phase === "training" ? clock(state.seconds_left) : ""],
    updated: [ago(state.updated)],
  };
}

class Table {
  constructor() {
    document.title = `${say("Runs")} · thalweg`;
    this.rows = new Map();
    this.filled = false;
    this.body = el("tbody");
    this.count = el("p", { class: "note", role: "status" });
    this.compare = el("a", { class: "button", href: "#/" });
    this.heads = COLUMNS.map((column) => {
      const button = el("button", { class: "sort", type: "button", onclick: () => this.sortBy(column.key) }, column.label);
      return el("th", { scope: "col", class: column.number ? "number" : undefined, "data-key": column.key }, button);
    });
    const head = el("thead", {}, el("tr", {}, el("th", { scope: "col" }, el("span", { class: "hush" }, say("Choose"))), this.heads));
    this.table = el("table", { class: "runs" }, el("caption", { class: "hush" }, say("Runs of this folder")), head, this.body);
    this.sheet = el("div", { class: "sheet wide" }, this.table);
    this.empty = el("div", { class: "sheet empty", hidden: true });
    const search = el("input", { type: "search", placeholder: say("Name, network or source"), "aria-label": say("Find runs"), value: wanted.text, dir: way(say("Name, network or source")), oninput: (event) => ((wanted.text = event.target.value), this.update()) });
    this.chips = Object.entries(FILTERS).map(([name, [label]]) => el("button", { class: "chip", type: "button", "data-name": name, onclick: () => ((wanted.filter = name), this.update()) }, label));
    const sorter = el("select", { "aria-label": say("Sort by"), onchange: (event) => this.sortBy(event.target.value) }, COLUMNS.map((column) => el("option", { value: column.key, selected: column.key === wanted.sort }, column.label)));
    main.replaceChildren(
      el("h1", {}, say("Runs")),
      el("div", { class: "tools" }, search, el("div", { class: "chips", role: "group", "aria-label": say("Which runs") }, this.chips), el("label", { class: "sorter" }, say("Sort by"), sorter), this.compare, this.count),
      this.sheet,
      this.empty,
    );
    this.update();
  }

  watched() {
    return [];
  }

  sortBy(key) {
    wanted.down = wanted.sort === key ? !wanted.down : key !== "name";
    wanted.sort = key;
    this.update();
  }

  chosen() {
    const text = wanted.text.trim().toLowerCase();
    const [, fits] = FILTERS[wanted.filter];
    const { sort } = COLUMNS.find((column) => column.key === wanted.sort);
    const missing = (value) => value === null || value === undefined || value === "" || Number.isNaN(value);
    return [...runs.entries()]
      .filter(([, state]) => fits(state) && (!text || `${state.name} ${state.network} ${state.source}`.toLowerCase().includes(text)))
      .sort(([, one], [, other]) => {
        const [a, b] = [sort(one), sort(other)];
        if (missing(a) || missing(b)) return missing(a) - missing(b);
        const order = typeof a === "string" ? a.localeCompare(b, undefined, { numeric: true }) : a - b;
        return wanted.down ? -order : order;
      });
  }

  update() {
    const shown = this.chosen();
    const keys = new Set(shown.map(([key]) => key));
    for (const [key, row] of this.rows) {
      if (!keys.has(key)) {
        row.node.remove();
        this.rows.delete(key);
      }
    }
    let before = null;
    let fresh = 0;
    for (const [key, state] of shown) {
      if (!this.filled && !this.rows.has(key) && (fresh += 1) > AT_ONCE) {
        this.goOn();
        break;
      }
      const row = this.row(key, state);
      const next = before ? before.nextSibling : this.body.firstChild;
      if (next !== row.node) this.body.insertBefore(row.node, next);
      before = row.node;
    }
    for (const head of this.heads) {
      if (head.dataset.key === wanted.sort) head.setAttribute("aria-sort", wanted.down ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    }
    for (const chip of this.chips) chip.setAttribute("aria-pressed", chip.dataset.name === wanted.filter);
    const [some, all] = [whole(shown.length), whole(runs.size)];
    const count = shown.length < runs.size ? say("{some} of {all} runs", { some, all }) : runs.size === 1 ? say("1 run") : say("{all} runs", { all });
    if (this.count.textContent !== count) this.count.textContent = count;
    this.compareButton();
    this.sheet.hidden = !shown.length;
    this.empty.hidden = Boolean(shown.length);
    if (!told) this.empty.replaceChildren(say("Looking ..."));
    else if (!shown.length) this.empty.replaceChildren(...(runs.size ? [say("No run fits this search.")] : [say("No runs here yet. This makes one, and it appears here by itself:"), " ", el("code", { dir: "ltr" }, "thalweg train photos")]));
  }

  /** The first rows are shown before the others are made: hundreds take the browser half a second to lay out. */
  goOn() {
    this.filled = true;
    requestAnimationFrame(() => setTimeout(() => view === this && this.update()));
  }

  compareButton() {
    for (const key of picked) if (!runs.has(key)) picked.delete(key);
    const ready = picked.size >= 2;
    this.compare.textContent = ready ? say("Compare {number} runs", { number: whole(picked.size) }) : say("Choose runs to compare");
    this.compare.href = ready ? `#/compare/${[...picked].join(",")}` : "#/";
    this.compare.className = ready ? "button main" : "button";
    this.compare.setAttribute("aria-disabled", String(!ready));
  }

  row(key, state) {
    const text = JSON.stringify(state) + ago(state.updated);
    let row = this.rows.get(key);
    if (!row) {
      const box = el("input", { type: "checkbox", class: "pick", "aria-label": say("Choose {name}", { name: state.name }), onchange: () => (box.checked ? picked.add(key) : picked.delete(key), this.compareButton()) });
      box.checked = picked.has(key);
      row = { node: el("tr", {}, el("td", { class: "picks" }, box)), cells: {}, text: "" };
      for (const column of COLUMNS) {
        const cell = el("td", { class: column.key === "name" ? "name" : column.number ? "number" : undefined, "data-label": column.key === "name" ? undefined : column.label });
        row.cells[column.key] = cell;
        row.node.append(cell);
      }
      this.rows.set(key, row);
    }
    if (row.text !== text) {
      row.text = text;
      for (const [name, children] of Object.entries(cellsOf(key, state))) {
        const cell = row.cells[name];
        const focused = cell.contains(document.activeElement);
        cell.replaceChildren(...children.filter(Boolean));
        cell.classList.toggle("none", !cell.textContent && !cell.querySelector("svg"));
        if (focused) cell.querySelector("a")?.focus();
      }
    }
    return row;
  }
}

// --- one run ----------------------------------------------------------------------------------------------------

function factsOf(state) {
  const [low, high] = state.accuracy_interval;
  const facts = [];
  if (known(state.accuracy)) facts.push([say("Accuracy"), percent(state.accuracy), say("on {split}, 95 % interval {low} to {high}", { split: state.split, low: percent(low), high: percent(high) })]);
  else if (known(state.val_accuracy)) facts.push([say("Validation accuracy"), percent(state.val_accuracy), say("best {share} in epoch {epoch}", { share: percent(state.best_accuracy), epoch: whole(state.best_epoch) })]);
  if (known(state.train_loss)) facts.push([say("Loss"), number(state.train_loss), known(state.val_loss) ? say("training, in nats; validation {loss}", { loss: number(state.val_loss) }) : say("training, in nats")]);
  facts.push([say("Epoch"), epochs(state) || say("none yet"), state.running && known(state.fraction) ? say("{share} of the run", { share: percent(state.fraction, 0) }) : ""]);
  if (known(state.learning_rate)) facts.push([say("Learning rate"), number(state.learning_rate, 3), state.verdict_line || state.monitor || say("not yet judged")]);
  if (known(state.images_per_second)) facts.push([say("Speed"), say("{number} /s", { number: whole(state.images_per_second) }), say("images in training")]);
  if (state.phase === "training" && known(state.seconds_left)) facts.push([say("Time left"), clock(state.seconds_left), say("at this speed")]);
  else if (known(state.seconds)) facts.push([say("Time"), clock(state.seconds), state.phase === "finished" ? say("the whole command") : say("trained so far")]);
  return facts;
}

function findingItem(finding) {
  const remedies = listed((finding.remedies || []).map((remedy) => remedy.title));
  return el(
    "li",
    { class: finding.severity },
    el("div", {}, badge(finding.severity, finding.severity_word), " ", el("strong", {}, finding.title), el("span", { class: "note" }, " ", say("{code}, {share} sure", { code: finding.code, share: percent(finding.confidence, 0) }))),
    el("div", { dir: way(finding.claim) }, finding.claim),
    remedies && el("div", { class: "note" }, say("What may help: {remedies}", { remedies })),
  );
}

function marksOf(detail, chart) {
  const marks = [];
  for (const event of detail.events) marks.push({ x: chart.by === "epoch" ? event.epoch : event.step, label: event.message });
  if (chart.by === "epoch" && detail.state.best_epoch) marks.push({ x: detail.state.best_epoch, label: say("best validation accuracy") });
  return marks;
}

class Run {
  constructor(key) {
    this.key = key;
    this.charts = new Map();
    this.title = el("bdi");
    this.under = el("p", { class: "under" });
    this.badges = el("p", { class: "chips" });
    this.acts = el("div", { class: "acts" });
    this.message = el("p", {});
    this.facts = el("dl", { class: "facts sheet" });
    this.grid = el("div", { class: "charts" });
    this.findings = el("section", { class: "part sheet" });
    this.events = el("section", { class: "part sheet" });
    this.plan = el("section", { class: "part sheet" });
    main.replaceChildren(
      el("a", { class: "back", href: "#/" }, say("All runs")),
      el("div", { class: "head" }, el("div", {}, el("h1", {}, this.title), this.under, this.badges), this.acts),
      this.message,
      this.facts,
      this.grid,
      el("div", { class: "two" }, this.findings, this.events, this.plan),
    );
    this.shown = {};
    this.update();
  }

  watched() {
    return [this.key];
  }

  fresh(name, value) {
    const text = JSON.stringify(value);
    if (this.shown[name] === text) return false;
    this.shown[name] = text;
    return true;
  }

  update(key) {
    const state = runs.get(this.key) || details.get(this.key)?.state;
    if (!state) {
      this.title.textContent = told ? say("This run is gone") : say("Looking ...");
      return;
    }
    document.title = `${state.name} · thalweg`;
    if (this.fresh("head", [state.name, state.network, state.source, state.phase, state.verdict, state.report, state.message, state.notice])) {
      this.title.textContent = state.name;
      this.under.textContent = madeOf(state);
      this.badges.replaceChildren(...[phase(state), verdict(state)].filter(Boolean));
      this.acts.replaceChildren(...actions(this.key, state));
      const trouble = state.notice && state.notice !== "resuming" ? state.notice : state.phase === "failed" ? state.message : "";
      this.message.textContent = trouble;
      this.message.className = trouble ? "badge failed" : "";
    } else if (state.running && this.fresh("bar", state.fraction)) {
      this.badges.replaceChildren(...[phase(state), verdict(state)].filter(Boolean));
    }
    const facts = factsOf(state);
    if (this.fresh("facts", facts)) {
      this.facts.replaceChildren(...facts.map(([name, value, more]) => el("div", { class: "fact" }, el("dt", {}, name), el("dd", {}, value, more && el("small", { dir: way(more) }, more)))));
    }
    const detail = details.get(this.key);
    if (detail && (key === this.key || !this.charts.size)) this.detail(detail);
  }

  detail(detail) {
    for (const chart of detail.charts) {
      let drawn = this.charts.get(chart.key);
      if (!drawn) {
        const finer = chart.by === "step" ? async (first, last) => this.finer(chart.key, first, last) : null;
        drawn = new Chart(chart, finer);
        this.charts.set(chart.key, drawn);
        this.grid.append(drawn.node);
      }
      if (this.fresh(`chart ${chart.key}`, [chart.lines, detail.events, detail.state.best_epoch])) drawn.set(chart.lines, marksOf(detail, chart));
    }
    if (this.fresh("findings", detail.findings)) {
      const list = detail.findings.map(findingItem);
      this.findings.replaceChildren(el("h2", {}, say("Findings")), list.length ? el("ul", { class: "list" }, list) : el("p", { class: "note" }, say("Nothing noteworthy so far.")));
    }
    if (this.fresh("events", detail.events)) {
      const list = detail.events.map((event) => el("li", {}, el("strong", {}, say("Epoch {epoch}, step {step}", { epoch: whole(event.epoch), step: whole(event.step) })), el("div", { dir: way(event.message) }, event.message)));
      this.events.replaceChildren(el("h2", {}, say("What happened")), list.length ? el("ul", { class: "list" }, list) : el("p", { class: "note" }, say("No repairs, no interruptions.")));
    }
    if (this.fresh("plan", detail.plan)) {
      const rows = Object.entries(detail.plan).map(([name, value]) => el("tr", {}, el("th", { scope: "row" }, name.replaceAll("_", " ")), el("td", {}, el("bdi", {}, String(value)))));
      this.plan.replaceChildren(el("h2", {}, say("Plan")), el("table", { class: "plain", dir: "ltr" }, el("tbody", {}, rows)));
    }
  }

  async finer(key, first, last) {
    const span = Number.isFinite(first) ? `?from=${first}&to=${last}` : "";
    try {
      const { charts } = await ask(`/api/runs/${this.key}/charts${span}`);
      return charts.find((chart) => chart.key === key)?.lines || null;
    } catch (error) {
      toast(error.message);
      return null;
    }
  }
}

// --- side by side -----------------------------------------------------------------------------------------------

const METRICS = [
  [say("State"), (s) => PHASES[s.phase] || s.phase, null],
  [say("Accuracy (reported)"), (s) => (known(s.accuracy) ? say("{value} ({low} to {high})", { value: percent(s.accuracy), low: percent(s.accuracy_interval[0]), high: percent(s.accuracy_interval[1]) }) : ""), null],
  [say("Best validation accuracy"), (s) => percent(s.best_accuracy), (s) => s.best_accuracy],
  [say("Last validation loss"), (s) => number(s.val_loss), (s) => -s.val_loss],
  [say("Last training loss"), (s) => number(s.train_loss), null],
  [say("Epochs"), epochs, null],
  [say("Learning rate"), (s) => number(s.learning_rate, 3), null],
  [say("Verdict on the rate"), (s) => s.verdict_line, null],
  [say("Images a second"), (s) => (known(s.images_per_second) ? whole(s.images_per_second) : ""), (s) => s.images_per_second],
  [say("Time"), (s) => clock(s.seconds), null],
  [say("Warnings"), (s) => listed(s.warning_words), null],
];

class Comparison {
  constructor(keys) {
    this.keys = keys;
    document.title = `${say("Side by side")} · thalweg`;
    this.table = el("table", { class: "plain" });
    this.grid = el("div", { class: "charts" });
    this.charts = new Map();
    main.replaceChildren(
      el("a", { class: "back", href: "#/" }, say("All runs")),
      el("div", { class: "head" }, el("div", {}, el("h1", {}, say("Side by side")), el("p", { class: "under" }, say("Solid to dotted, first to last. Blue rows of the plan differ. A difference may be chance: {command} holds it against the seeds' spread.", { command: "thalweg compare" })))),
      this.grid,
      el("div", { class: "sheet wide part" }, this.table),
    );
    this.update();
  }

  watched() {
    return this.keys;
  }

  update() {
    const shown = this.keys.filter((key) => runs.has(key));
    const states = shown.map((key) => runs.get(key));
    const plans = shown.map((key) => details.get(key)?.plan || {});
    const text = JSON.stringify([states, plans]);
    if (text === this.text) return;
    this.text = text;
    const head = el("tr", {}, el("th", { scope: "col" }, el("span", { class: "hush" }, say("What"))), states.map((state, index) => el("th", { scope: "col" }, el("a", { href: `#/run/${shown[index]}`, dir: "auto" }, state.name))));
    const rows = METRICS.map(([label, write, rank]) => {
      const ranks = rank ? states.map(rank) : [];
      const best = Math.max(...ranks.filter(known));
      return el("tr", {}, el("th", { scope: "row" }, label), states.map((state, index) => el("td", { class: rank && states.length > 1 && ranks[index] === best ? "best" : undefined, dir: way(write(state)) }, write(state))));
    });
    const names = [...new Set(plans.flatMap(Object.keys))];
    const options = names.map((name) => {
      const values = plans.map((plan) => (plan[name] === undefined ? "" : String(plan[name])));
      const differs = new Set(values).size > 1;
      return [differs, el("tr", { class: differs ? "differs" : undefined }, el("th", { scope: "row" }, name.replaceAll("_", " ")), values.map((value) => el("td", {}, el("bdi", {}, value))))];
    });
    const ordered = [...options.filter(([differs]) => differs), ...options.filter(([differs]) => !differs)].map(([, row]) => row);
    this.table.replaceChildren(el("caption", { class: "hush" }, say("Results and plans")), el("thead", {}, head), el("tbody", {}, rows, ordered));
    this.draw(shown);
  }

  draw(shown) {
    const together = new Map();
    shown.forEach((key, index) => {
      for (const chart of details.get(key)?.charts || []) {
        const line = chart.by === "epoch" ? chart.lines.at(-1) : chart.lines[0];
        if (!together.has(chart.key)) together.set(chart.key, { ...chart, lines: [] });
        if (line) together.get(chart.key).lines.push({ ...line, label: runs.get(key).name, colour: index, named: true });
      }
    });
    for (const [key, chart] of together) {
      if (!this.charts.has(key)) {
        const title = chart.by === "epoch" ? { loss: "Validation loss", accuracy: "Validation accuracy" }[chart.key] : chart.title;
        this.charts.set(key, new Chart({ ...chart, title }));
        this.grid.append(this.charts.get(key).node);
      }
      this.charts.get(key).set(chart.lines);
    }
  }
}

// --- where we are -----------------------------------------------------------------------------------------------

function go() {
  const [, what, rest] = location.hash.split("/");
  if (what === "run" && rest) view = new Run(rest);
  else if (what === "compare" && rest) view = new Comparison(rest.split(",").slice(0, 8));
  else view = new Table();
  listen(view.watched());
  scrollTo(0, 0);
}

function theme(choice) {
  const dark = choice === "dark" || (choice === "auto" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
}

function remember(choice) {
  try {
    if (choice) localStorage.setItem("thalweg-theme", choice);
    return localStorage.getItem("thalweg-theme") || "auto";
  } catch {
    return choice || "auto";
  }
}

function begin() {
  const picker = document.getElementById("theme");
  picker.value = remember();
  theme(picker.value);
  picker.addEventListener("change", () => theme(remember(picker.value)));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => theme(picker.value));
  if (location.search) history.replaceState(null, "", `/${location.hash}`); // the token stays out of the history
  addEventListener("hashchange", () => {
    go();
    main.focus({ preventScroll: true });
  });
  go();
  setInterval(() => view instanceof Table && view.update(), 5000);
}

begin();
