// The leaderboard's page: filters, and what its address asks for.

import { boardView, matrix } from "./board.js";
import { address } from "./board_address.js";
import { drawFields, filterForm, searchField, selectField } from "./filters.js";
import { about, drawLinks, frame, redraw } from "./frame.js";
import { isOfSize, SIZES } from "./sizes.js";
import { embedded } from "./source.js";
import { h, own } from "./text.js";

/** @import { View } from "./board_address.js" */
/** @import { Child } from "./text.js" */
/** @import { Board, LeaderboardDocument } from "./types" */

const NOTES =
  "A rank is an interval: the ranks that a run has in 95 % of bootstrap resamples of the images. Runs are ranked together if they " +
  "were asked the same questions under the same protocol, and all were answered and scored; filters hide runs but leave ranks as " +
  "they are. Marks in capitals say what weakens a score. Intervals: 95 %, clustered by image.";

/** @param {LeaderboardDocument} page */
function start(page) {
  const title = h("h1", {}, "Leaderboard of ", own(page.title));
  const { nav, main } = frame(h("header", {}, h("div", {}, title, about(page))));
  const form = filterForm();
  const tables = h("div", { class: "boards" });
  const heading = h("h2", {});
  main.append(heading, form, tables, h("p", { class: "quiet" }, NOTES));
  main.setAttribute("aria-busy", "false");

  const show = () => {
    const view = address.read();
    const task = page.tasks.find((each) => each.label === view.task) ?? null;
    drawLinks(nav, links(page, view, task));
    heading.replaceChildren(task ? own(task.label) : "All tasks");
    drawFields(form, fields(page, view, task, move));
    const asked = { page, runs: chosenRuns(page, view), view, sortBy };
    const tasks = page.tasks.filter((each) => !view.protocol || protocolOf(each) === view.protocol);
    redraw(tables, task ? boardView(asked, task) : matrix(asked, tasks));
  };
  /** @param {Partial<View>} change */
  const move = (change) => {
    history.replaceState(null, "", address.of({ ...address.read(), ...change }));
    show();
  };
  /**
   * Sorts by a column, or turns it round if it is sorted already.
   *
   * @param {string} name
   * @param {boolean} down
   */
  const sortBy = (name, down) => {
    const view = address.read();
    const descending = view.sort === name ? view.down === "" : down;
    move({ sort: name, down: descending ? "1" : "" });
  };
  addEventListener("hashchange", show);
  show();
}

/** @param {Board} task */
function protocolOf({ label }) {
  return label.slice(label.indexOf("@") + 1);
}

/**
 * The numbers of the runs that pass the filters by name and size.
 *
 * @param {LeaderboardDocument} page
 * @param {View} view
 */
function chosenRuns(page, view) {
  const size = SIZES.find(({ name }) => name === view.size);
  const wanted = view.text.toLowerCase();
  return page.runs.flatMap((run, number) => {
    const fits = size === undefined || isOfSize(run.size, size);
    return fits && run.name.toLowerCase().includes(wanted) ? [number] : [];
  });
}

/**
 * @param {LeaderboardDocument} page
 * @param {View} view
 * @param {Board | null} shown
 * @returns {[text: Child, href: string, here: boolean][]}
 */
function links(page, { size, text }, shown) {
  return [
    ["All tasks", address.of({ size, text }), shown === null],
    ...page.tasks.map(
      (task) =>
        /** @type {[Child, string, boolean]} */ ([
          own(task.label),
          address.of({ size, text, task: task.label }),
          task === shown,
        ]),
    ),
  ];
}

/**
 * @param {LeaderboardDocument} page
 * @param {View} view
 * @param {Board | null} task
 * @param {(change: Partial<View>) => void} move
 */
function fields(page, view, task, move) {
  const sizes = SIZES.filter((size) => size.name === view.size || page.runs.some((run) => isOfSize(run.size, size)));
  const protocols = [...new Set(page.tasks.map(protocolOf))].sort();
  /**
   * @param {"size" | "protocol"} name
   * @param {string} label
   * @param {[value: string, text: string][]} options
   */
  const select = (name, label, options) =>
    selectField(name, label, [["", "All"], ...options], view[name], (value) => move({ [name]: value }));
  return [
    select(
      "size",
      "Size",
      sizes.map(({ name, label }) => [name, label]),
    ),
    ...(task
      ? []
      : [
          select(
            "protocol",
            "Protocol",
            protocols.map((name) => [name, name]),
          ),
        ]),
    searchField("Run", view.text, (text) => move({ text })),
  ];
}

start(embedded("document"));
