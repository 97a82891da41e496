"use strict";
// The questions of a task: filters, a page of them, and the one that is looked at.

const STATES = [
  ["right", "Right", (state) => state === "R" || state === "r"],
  ["partly", "Partly right", (state) => state === "P" || state === "p"],
  ["wrong", "Wrong", (state) => state === "W" || state === "w"],
  ["unparsed", "Unparsed", (state) => "rpw".includes(state)],
  ["failed", "Failed", (state) => state === "F"],
  ["missing", "No answer", (state) => state === "M"],
  ["unlabelled", "Labels not public", (state) => state === "U"],
  ["unjudged", "Not judged", (state) => state === "J"],
];

const CHANGES = [
  ["gained", "Gained", (run, baseline) => run > baseline],
  ["lost", "Lost", (run, baseline) => run < baseline],
  ["same", "The same", (run, baseline) => run === baseline],
];

/** What an answer is worth, or null where it was not scored. */
function worth(task, run, place) {
  const state = task.states[run]?.[place].toUpperCase() ?? "-";
  return state === "R" ? 1 : state === "W" ? 0 : state === "P" ? task.values[run][place] : null;
}

/** Whether a run did better or worse on a question than the baseline; null where they cannot be compared. */
function changeOf(task, run, baseline, place) {
  const pair = [worth(task, run, place), worth(task, baseline, place)];
  if (pair.includes(null)) return null;
  return CHANGES.find(([, , holds]) => holds(...pair))[0];
}

/** The places of the questions that pass all filters but the search. */
function filtered(task, view) {
  const places = [];
  const state = STATES.find(([name]) => name === view.state)?.[2];
  const wanted = task.kinds.map((names) => view.category === "" || names.includes(view.category));
  for (let place = 0; place < task.count; place += 1) {
    if (!wanted[task.kind[place]]) continue;
    if (state && !state(task.states[view.run]?.[place] ?? "-")) continue;
    if (view.change && view.baseline >= 0 && changeOf(task, view.run, view.baseline, place) !== view.change) continue;
    places.push(place);
  }
  return places;
}

class Browser {
  /** `move`: called with what is to be looked at instead. */
  constructor(page, source, number, move) {
    this.page = page;
    this.source = source;
    this.number = number;
    this.task = page.tasks[number];
    this.move = move;
    this.places = [];
    this.turn = 0;
    this.list = h("ol", { class: "list", "aria-label": "Questions", tabindex: -1 });
    this.detail = h("article", { class: "detail", "aria-labelledby": "sample", tabindex: -1 });
    this.status = h("p", { role: "status", class: "status" });
    this.form = h("form", { class: "filters", role: "search", onsubmit: (event) => event.preventDefault() });
    this.previous = h("button", { type: "button", onclick: () => this.turnPage(-1) }, "Previous page");
    this.next = h("button", { type: "button", onclick: () => this.turnPage(1) }, "Next page");
    const pages = h("div", { class: "pages" }, this.previous, this.next);
    this.element = h(
      "section",
      { "aria-labelledby": "questions", class: "questions" },
      h("h2", { id: "questions" }, "Questions"),
      this.form,
      h("div", { class: "bar-of-list" }, this.status, pages),
      h("div", { class: "panes" }, this.list, this.detail),
    );
  }

  /** Shows what `view` asks for; what was asked for later wins. */
  async show(view) {
    this.view = view;
    this.turn += 1;
    const turn = this.turn;
    this.drawForm();
    let places = filtered(this.task, view);
    if (view.text) {
      const found = await this.source.search(this.number, view.text);
      places = places.filter((place) => found.has(place));
    }
    if (turn !== this.turn) return;
    this.places = places;
    const given = view.sample === "" ? -1 : this.task.ids.indexOf(view.sample);
    this.place = given >= 0 ? given : (places[0] ?? -1);
    await Promise.all([this.drawList(turn), this.drawDetail(turn)]);
  }

  get position() {
    return this.places.indexOf(this.place);
  }

  /** The first position of the page that holds the question that is looked at. */
  get start() {
    return Math.floor(Math.max(0, this.position) / this.task.piece) * this.task.piece;
  }

  go(place) {
    if (place !== undefined && place >= 0) this.move({ sample: this.task.ids[place] });
  }

  step(steps) {
    const next = this.position < 0 ? 0 : this.position + steps;
    if (next >= 0 && next < this.places.length) this.go(this.places[next]);
  }

  turnPage(pages) {
    const next = this.start + pages * this.task.piece;
    if (next >= 0 && next < this.places.length) this.go(this.places[next]);
  }

  search() {
    this.form.elements.text.focus();
  }

  drawForm() {
    const { task, view, page } = this;
    const asked = page.runs.map((_, run) => run).filter((run) => task.states[run] !== null);
    const names = [...new Set(task.kinds.flat())].sort();
    const named = (run) => `${letter(run)} ${page.runs[run].name}`;
    const several = asked.length > 1;
    const compared = view.baseline >= 0 && asked.includes(view.baseline);
    const fields = [
      several &&
        this.field(
          "run",
          "Run",
          asked.map((run) => [run, named(run)]),
        ),
      several &&
        this.field("baseline", "Compare with", [
          [-1, "nothing"],
          ...asked.filter((run) => run !== view.run).map((run) => [run, named(run)]),
        ]),
      this.field("state", "Outcome", [["", `All ${count(task.count)}`], ...this.stateOptions()]),
      compared && this.field("change", "Against it", [["", "All"], ...this.changeOptions()]),
      names.length > 0 && this.field("category", "Category", [["", "All"], ...names.map((name) => [name, name])]),
      this.searchField(),
      h("button", { type: "button", onclick: () => this.clear() }, "Clear"),
    ];
    const focused = this.form.contains(document.activeElement) ? document.activeElement.name : null;
    const caret = focused === "text" ? document.activeElement.selectionStart : null;
    this.form.replaceChildren(...fields.filter(Boolean));
    if (focused) this.form.elements[focused]?.focus();
    if (caret !== null) this.form.elements.text.setSelectionRange(caret, caret);
  }

  field(name, label, options) {
    const select = h("select", { name, onchange: () => this.choose(name, select.value) });
    for (const [value, text] of options)
      select.append(h("option", { value, selected: value === this.view[name] }, text));
    return h("label", {}, h("span", {}, label), select);
  }

  searchField() {
    const input = h("input", {
      type: "search",
      name: "text",
      value: this.view.text,
      autocomplete: "off",
      spellcheck: "false",
    });
    input.addEventListener("input", () => this.choose("text", input.value));
    return h("label", { class: "grows" }, h("span", {}, "Text"), input);
  }

  choose(name, value) {
    const number = typeof NOTHING[name] === "number" ? Number(value) : value;
    const change = { [name]: number, sample: "" };
    if (name === "baseline" && number < 0) change.change = "";
    if (name === "run" && number === this.view.baseline) change.baseline = this.view.run;
    this.move(change);
  }

  clear() {
    this.move({ state: "", change: "", category: "", text: "", sample: "" });
  }

  stateOptions() {
    const states = [...(this.task.states[this.view.run] ?? "")];
    const counted = STATES.map(([name, label, holds]) => [name, label, states.filter(holds).length]);
    return counted
      .filter(([name, , number]) => number || name === this.view.state)
      .map(([name, label, number]) => [name, `${label} ${count(number)}`]);
  }

  changeOptions() {
    const numbers = new Map(CHANGES.map(([name]) => [name, 0]));
    for (let place = 0; place < this.task.count; place += 1) {
      const change = changeOf(this.task, this.view.run, this.view.baseline, place);
      if (change !== null) numbers.set(change, numbers.get(change) + 1);
    }
    return CHANGES.map(([name, label]) => [name, `${label} ${count(numbers.get(name))}`]);
  }

  async drawList(turn) {
    const shown = this.places.slice(this.start, this.start + this.task.piece);
    this.tell(shown.length);
    const key = JSON.stringify([shown[0], shown.length, { ...this.view, sample: "" }]);
    if (key !== this.drawn) {
      const rows = await this.source.rows(this.number, shown);
      if (turn !== this.turn) return;
      this.drawn = key;
      this.list.replaceChildren(...rows.map((row, number) => this.entry(row, shown[number])));
      this.list.scrollTop = 0;
    }
    for (const link of this.list.querySelectorAll("[aria-current]")) link.removeAttribute("aria-current");
    const link = this.list.children[this.position - this.start]?.firstChild;
    link?.setAttribute("aria-current", "true");
    if (link) this.reveal(link);
  }

  /** Scrolls the list, and nothing else, so that an entry is seen. */
  reveal(link) {
    const [entry, box] = [link.getBoundingClientRect(), this.list.getBoundingClientRect()];
    if (entry.top < box.top) this.list.scrollTop -= box.top - entry.top;
    else if (entry.bottom > box.bottom) this.list.scrollTop += entry.bottom - box.bottom;
  }

  tell(shown) {
    const all = this.places.length;
    const range =
      all > shown ? `${count(this.start + 1)} to ${count(this.start + shown)} of ${count(all)}` : count(all);
    this.status.textContent = all === 0 ? "No question passes these filters." : `Questions ${range}`;
    this.previous.disabled = this.start === 0;
    this.next.disabled = this.start + shown >= all;
  }

  entry(row, place) {
    const { view, task } = this;
    const runs = view.baseline >= 0 && task.states[view.baseline] ? [view.baseline, view.run] : [view.run];
    const answer = row.answers[view.run];
    const text = answer?.error ? `failed: ${answer.error}` : answer?.text;
    const href = addressOf({ ...view, sample: row.id });
    const signs = runs.map((run) => [runs.length > 1 ? badge(run) : null, sign(task.states[run]?.[place] ?? "-")]);
    const thumbnail = h("img", { alt: "", class: "small", width: 40, height: 40 });
    if (row.images.length)
      this.source.thumbnail(row.images[0][0]).then((address) => address && thumbnail.setAttribute("src", address));
    const lines = [
      h("span", { class: "asked" }, brief(row.question)),
      h("span", { class: "said" }, text === undefined ? "" : ["→ ", brief(text)]),
    ];
    return h(
      "li",
      {},
      h(
        "a",
        { href },
        thumbnail,
        h("span", { class: runs.length > 1 ? "signs compared" : "signs" }, signs),
        h("span", { class: "lines" }, lines),
      ),
    );
  }

  async drawDetail(turn) {
    if (this.place < 0) {
      this.detail.replaceChildren(h("h3", { id: "sample" }, "No question"));
      return;
    }
    const [row] = await this.source.rows(this.number, [this.place]);
    if (turn !== this.turn) return;
    const position = this.position;
    const where = position < 0 ? "not among these questions" : `${count(position + 1)} of ${count(this.places.length)}`;
    const back = h("button", { type: "button", onclick: () => this.step(-1), disabled: position <= 0 }, "Previous");
    const on = h(
      "button",
      { type: "button", onclick: () => this.step(1), disabled: position + 1 >= this.places.length },
      "Next",
    );
    this.detail.replaceChildren(
      h(
        "div",
        { class: "detail-head" },
        h("h3", { id: "sample" }, own(row.id), h("span", { class: "quiet" }, ` ${where}`)),
        h("span", { class: "steps" }, back, on),
      ),
      ...sampleView(this.page, this.source, this.task, row, this.place, (place) => this.go(place))
        .flat()
        .filter(Boolean),
    );
    this.detail.scrollTop = 0;
  }
}
