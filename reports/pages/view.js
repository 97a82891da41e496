// The page of runs side by side: what its address asks for, and its keys.

import { Browser } from "./browser.js";
import { about, drawLinks, frame } from "./frame.js";
import { plural } from "./numbers.js";
import { embedded, embeddedSource, servedSource } from "./source.js";
import { summaryView } from "./summary.js";
import { taskNumbers } from "./task.js";
import { h, listed, nodes, own } from "./text.js";
import { address } from "./view_address.js";

/** @import { Source } from "./source.js" */
/** @import { Child } from "./text.js" */
/** @import { Task, ViewDocument } from "./types" */
/** @import { View } from "./view_address.js" */

class ViewPage {
  /** What was asked for; of several things the last. */
  #turn = 0;
  /** @type {number | null} The task that is shown, -1 for all scores. */
  #shown = null;
  /** @type {Browser | null} */
  #browser = null;

  /**
   * @param {ViewDocument} page
   * @param {Source} source
   */
  constructor(page, source) {
    this.page = page;
    this.source = source;
    const { nav, main } = frame(masthead(page));
    this.nav = nav;
    this.main = main;
  }

  async start() {
    addEventListener("hashchange", () => this.show(address.read()));
    addEventListener("keydown", (event) => this.#press(event));
    await this.show(address.read());
    performance.mark("shown");
  }

  /**
   * Shows what an address asks for; busy until the last that was asked for is there.
   *
   * @param {View} view
   */
  async show(view) {
    this.#turn += 1;
    const turn = this.#turn;
    this.main.setAttribute("aria-busy", "true");
    try {
      await this.#draw(view);
    } catch (error) {
      const reason = error instanceof Error ? error.message : error;
      this.main.prepend(h("p", { role: "alert", class: "note" }, `This cannot be shown: ${reason}`));
    }
    if (turn === this.#turn) this.main.setAttribute("aria-busy", "false");
  }

  /** @param {View} view */
  #draw(view) {
    const number = this.page.tasks.findIndex((task) => task.label === view.task);
    const entered = this.#shown !== number;
    this.#drawNav(number);
    if (number < 0) this.#drawSummary();
    else if (entered) this.#drawTask(number);
    this.#shown = number;
    const shown = this.#browser?.show(view);
    if (entered) scrollTo(0, 0);
    if (entered && view.sample !== "") this.#browser?.element.scrollIntoView();
    return shown;
  }

  /** @param {number} number of the task that is shown */
  #drawNav(number) {
    const tasks = this.page.tasks.map((task, place) => link(own(task.label), task.label, place === number));
    drawLinks(this.nav, [link("Scores", "", number < 0), ...tasks]);
  }

  #drawSummary() {
    this.#browser = null;
    this.main.replaceChildren(...nodes(summaryView(this.page)));
  }

  /** @param {number} number */
  #drawTask(number) {
    const task = this.page.tasks[number];
    const big = this.page.leftOut.includes(task.label);
    this.#browser = big ? null : new Browser(this.page, this.source, number, (view) => this.#move(view));
    this.main.replaceChildren(taskNumbers(this.page, task), this.#browser?.element ?? tooBig(task));
  }

  /** @param {View} view */
  #move(view) {
    history.replaceState(null, "", address.of(view));
    this.show(view);
  }

  /** @param {KeyboardEvent} event */
  #press(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    const field = event.target instanceof HTMLElement ? event.target.closest("input, select, textarea") : null;
    if (field instanceof HTMLElement) {
      if (event.key === "Escape") field.blur();
      return;
    }
    const key = KEYS.find((each) => each.name === event.key);
    if (key?.act === undefined) return;
    event.preventDefault();
    key.act(this.#browser);
  }
}

/**
 * Keys, what they do, and how, unless the browser does it.
 *
 * @type {{name: string, does: string, act?: (browser: Browser | null) => void}[]}
 */
const KEYS = [
  { name: "j", does: "next question", act: (browser) => browser?.step(1) },
  { name: "k", does: "previous question", act: (browser) => browser?.step(-1) },
  { name: "n", does: "next page", act: (browser) => browser?.turnPage(1) },
  { name: "p", does: "previous page", act: (browser) => browser?.turnPage(-1) },
  { name: "/", does: "search", act: (browser) => browser?.search() },
  { name: "x", does: "clear the filters", act: (browser) => browser?.clear() },
  {
    name: "s",
    does: "all scores",
    act: () => {
      location.hash = "";
    },
  },
  { name: "?", does: "these keys", act: showKeys },
  { name: "Esc", does: "leave a field" },
];

/**
 * @param {Child} text
 * @param {string} task its label, empty for all scores
 * @param {boolean} here
 * @returns {[text: Child, href: string, here: boolean]}
 */
function link(text, task, here) {
  return [text, address.of({ task }), here];
}

/** @param {ViewDocument} page */
function masthead(page) {
  const keys = h("button", { type: "button", onclick: showKeys }, "Keys ", h("kbd", {}, "?"));
  const names = page.runs.map((run) => own(run.name));
  return h("header", {}, h("div", {}, h("h1", {}, listed(names)), about(page)), keys);
}

/** @param {Task} task */
function tooBig(task) {
  const told = `${plural(task.count, "question")} are more than this page holds. `;
  return h(
    "section",
    {},
    h("h2", {}, "Questions"),
    h("p", {}, told, h("code", {}, "mipha-eval view --serve RUN"), " shows them."),
  );
}

function showKeys() {
  const rows = KEYS.map(({ name, does }) => h("div", {}, h("dt", {}, h("kbd", {}, name)), h("dd", {}, does)));
  const close = h("form", { method: "dialog" }, h("button", {}, "Close"));
  const dialog = h("dialog", { "aria-label": "Keys" }, h("h2", {}, "Keys"), h("dl", { class: "keys" }, rows), close);
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

/** @type {ViewDocument} */
const page = embedded("document");
new ViewPage(page, page.served ? servedSource() : embeddedSource(page.tasks, page.imagePiece)).start();
