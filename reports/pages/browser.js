// The questions of a task: filters, a page of them, and the one that is looked at.

import { drawFields, filterForm } from "./filters.js";
import { count } from "./numbers.js";
import { sign, stateOf } from "./outcomes.js";
import { badge } from "./plots.js";
import { sampleView } from "./sample.js";
import { filtered, filterFields, UNFILTERED } from "./task_filters.js";
import { brief, h, nodes, own } from "./text.js";
import { address, sides } from "./view_address.js";

/** @import { Source } from "./source.js" */
/** @import { Row, ViewDocument } from "./types" */
/** @import { Sides, View } from "./view_address.js" */

export class Browser {
  /** What was asked for; of several things the last. */
  #turn = 0;
  /** What the list shows. */
  #drawn = "";
  /** @type {View} */
  #view = address.first;
  /** @type {Sides} */
  #sides = { run: 0, baseline: null };
  /** @type {number[]} Questions that pass the filters. */
  #places = [];
  /** The question that is looked at, -1 if there is none. */
  #place = -1;
  #form = filterForm();
  #status = h("p", { role: "status", class: "status" });
  #previous = h("button", { type: "button", onclick: () => this.turnPage(-1) }, "Previous page");
  #next = h("button", { type: "button", onclick: () => this.turnPage(1) }, "Next page");
  #list = h("ol", { class: "list", "aria-label": "Questions", tabindex: -1 });
  #detail = h("article", { class: "detail", "aria-labelledby": "sample", tabindex: -1 });

  /**
   * @param {ViewDocument} page
   * @param {Source} source
   * @param {number} number of the task
   * @param {(view: View) => void} move called with what is to be looked at instead
   */
  constructor(page, source, number, move) {
    this.page = page;
    this.source = source;
    this.number = number;
    this.task = page.tasks[number];
    this.move = move;
    const pages = h("div", { class: "pages" }, this.#previous, this.#next);
    this.element = h(
      "section",
      { "aria-labelledby": "questions", class: "questions" },
      h("h2", { id: "questions" }, "Questions"),
      this.#form,
      h("div", { class: "bar-of-list" }, this.#status, pages),
      h("div", { class: "panes" }, this.#list, this.#detail),
    );
  }

  /**
   * Shows what `view` asks for; what was asked for later wins.
   *
   * @param {View} view
   */
  async show(view) {
    this.#view = view;
    this.#sides = sides(this.task, view);
    this.#turn += 1;
    const turn = this.#turn;
    this.#drawForm();
    let places = filtered(this.task, view, this.#sides);
    if (view.text) {
      const found = await this.source.search(this.number, view.text);
      places = places.filter((place) => found.has(place));
    }
    if (turn !== this.#turn) return;
    this.#places = places;
    const given = view.sample === "" ? -1 : this.task.ids.indexOf(view.sample);
    this.#place = given >= 0 ? given : (places[0] ?? -1);
    await Promise.all([this.#drawList(turn), this.#drawDetail(turn)]);
  }

  get #position() {
    return this.#places.indexOf(this.#place);
  }

  /** The first position of the page that holds the question that is looked at. */
  get #start() {
    return Math.floor(Math.max(0, this.#position) / this.task.piece) * this.task.piece;
  }

  /** @param {number} place */
  #go(place) {
    this.#change({ sample: this.task.ids[place] });
  }

  /** @param {Partial<View>} change */
  #change(change) {
    this.move({ ...this.#view, ...change });
  }

  /** @param {number} steps */
  step(steps) {
    const next = this.#position < 0 ? 0 : this.#position + steps;
    if (next >= 0 && next < this.#places.length) this.#go(this.#places[next]);
  }

  /** @param {number} pages */
  turnPage(pages) {
    const next = this.#start + pages * this.task.piece;
    if (next >= 0 && next < this.#places.length) this.#go(this.#places[next]);
  }

  search() {
    this.#form.querySelector("input")?.focus();
  }

  clear() {
    this.#change(UNFILTERED);
  }

  #drawForm() {
    const { page, task } = this;
    /** @param {Partial<View>} change */
    const change = (change) => this.#change(change);
    drawFields(this.#form, [
      ...filterFields({ runs: page.runs, task, view: this.#view, sides: this.#sides, change }),
      h("button", { type: "button", onclick: () => this.clear() }, "Clear"),
    ]);
  }

  /** @param {number} turn */
  async #drawList(turn) {
    const shown = this.#places.slice(this.#start, this.#start + this.task.piece);
    this.#tell(shown.length);
    const key = JSON.stringify([shown[0], shown.length, { ...this.#view, sample: "" }]);
    if (key !== this.#drawn) {
      const rows = await this.source.rows(this.number, shown);
      if (turn !== this.#turn) return;
      this.#drawn = key;
      this.#list.replaceChildren(...rows.map((row, number) => this.#entry(row, shown[number])));
      this.#list.scrollTop = 0;
    }
    for (const link of this.#list.querySelectorAll("[aria-current]")) link.removeAttribute("aria-current");
    const link = this.#list.children[this.#position - this.#start]?.firstElementChild;
    link?.setAttribute("aria-current", "true");
    if (link) this.#reveal(link);
  }

  /**
   * Scrolls the list, and nothing else, so that an entry is seen.
   *
   * @param {Element} link
   */
  #reveal(link) {
    const [entry, box] = [link.getBoundingClientRect(), this.#list.getBoundingClientRect()];
    if (entry.top < box.top) this.#list.scrollTop -= box.top - entry.top;
    else if (entry.bottom > box.bottom) this.#list.scrollTop += entry.bottom - box.bottom;
  }

  /** @param {number} shown */
  #tell(shown) {
    const all = this.#places.length;
    const start = this.#start;
    const range = all > shown ? `${count(start + 1)} to ${count(start + shown)} of ${count(all)}` : count(all);
    this.#status.textContent = all === 0 ? "No question passes these filters." : `Questions ${range}`;
    this.#previous.disabled = start === 0;
    this.#next.disabled = start + shown >= all;
  }

  /**
   * @param {Row} row
   * @param {number} place
   */
  #entry(row, place) {
    const { run, baseline } = this.#sides;
    const compared = baseline !== null;
    const answer = row.answers[run];
    const text = answer?.error ? `failed: ${answer.error}` : answer?.text;
    const signs = (compared ? [baseline, run] : [run]).map((each) => [
      compared ? badge(each) : null,
      sign(stateOf(this.task, each, place)),
    ]);
    return h(
      "li",
      {},
      h(
        "a",
        { href: address.of({ ...this.#view, sample: row.id }) },
        this.#thumbnail(row),
        h("span", { class: compared ? "signs compared" : "signs" }, signs),
        h(
          "span",
          { class: "lines" },
          h("span", { class: "asked" }, brief(row.prompt)),
          h("span", { class: "said" }, text === undefined ? "" : ["→ ", brief(text)]),
        ),
      ),
    );
  }

  /** @param {Row} row */
  #thumbnail(row) {
    const image = h("img", { alt: "", class: "small", width: 40, height: 40 });
    if (row.images.length)
      this.source.thumbnail(row.images[0][0]).then((place) => place && image.setAttribute("src", place));
    return image;
  }

  /** @param {number} turn */
  async #drawDetail(turn) {
    const place = this.#place;
    if (place < 0) {
      this.#detail.replaceChildren(h("h3", { id: "sample" }, "No question"));
      return;
    }
    const [row] = await this.source.rows(this.number, [place]);
    if (turn !== this.#turn) return;
    const { page, task } = this;
    const shown = sampleView({ page, task, row, place }, this.source, (other) => this.#go(other));
    this.#detail.replaceChildren(this.#detailHead(row), ...nodes(shown));
    this.#detail.scrollTop = 0;
  }

  /** @param {Row} row */
  #detailHead(row) {
    const position = this.#position;
    const all = this.#places.length;
    const where = position < 0 ? "not among these questions" : `${count(position + 1)} of ${count(all)}`;
    /**
     * @param {string} text
     * @param {number} steps
     * @param {boolean} disabled
     */
    const step = (text, steps, disabled) =>
      h("button", { type: "button", onclick: () => this.step(steps), disabled }, text);
    return h(
      "div",
      { class: "detail-head" },
      h("h3", { id: "sample" }, own(row.id), h("span", { class: "quiet" }, ` ${where}`)),
      h("span", { class: "steps" }, step("Previous", -1, position <= 0), step("Next", 1, position + 1 >= all)),
    );
  }
}
