// Tables of a leaderboard: all tasks side by side, and one task with everything that is known of each result.

import { count, intervalText, plural } from "./numbers.js";
import { sizeText } from "./sizes.js";
import { tableOf, tags } from "./tables.js";
import { h, own } from "./text.js";

/** @import { View } from "./board_address.js" */
/** @import { Board, Entry, Group, LeaderboardDocument } from "./types" */

/**
 * A table of runs that are already filtered.
 *
 * @typedef {object} Asked
 * @property {LeaderboardDocument} page
 * @property {number[]} runs that are shown
 * @property {View} view
 * @property {(column: string, down: boolean) => void} sortBy called with a column, and whether its largest come first at first
 */

/** @typedef {string | number | null} Sortable */

/**
 * All runs on all tasks: scores with rank intervals; what is not ranked with the first group is set back.
 *
 * @param {Asked} asked
 * @param {Board[]} tasks
 */
export function matrix(asked, tasks) {
  const { page, runs, view } = asked;
  const by = tasks.find((task) => task.label === view.sort);
  /**
   * @param {number} run
   * @returns {Sortable}
   */
  const value = (run) => {
    if (view.sort === "name") return page.runs[run].name;
    if (view.sort === "size") return page.runs[run].size;
    return by?.entries[run]?.value ?? null;
  };
  /** @param {number} run */
  const behind = (run) => (by?.entries[run] ? setBack(by, by.entries[run]) : false);
  const sorted = inOrder(runs, value, view.down !== "");
  const order = [...sorted.filter((run) => !behind(run)), ...sorted.filter(behind)];
  const heads = [
    sortHead(asked, { name: "name", label: "Run" }, view.sort),
    sortHead(asked, { name: "size", label: "Size", number: true }, view.sort),
    ...tasks.map(({ label }) => sortHead(asked, { name: label, label, down: true }, view.sort)),
  ];
  const rows = order.map((run) => {
    const cells = tasks.map((task) => h("td", {}, task.entries[run] ? shortCell(task, task.entries[run]) : "–"));
    return h(
      "tr",
      {},
      h("th", { scope: "row" }, runLink(page, run)),
      h("td", { class: "number" }, sizeText(page.runs[run].size)),
      cells,
    );
  });
  const caption = `${plural(order.length, "run")} on ${plural(tasks.length, "task")}; rank intervals in brackets`;
  return tableOf(caption, heads, [rows], "many");
}

/**
 * One task: its groups of runs that are ranked together, then what is not ranked.
 *
 * @param {Asked} asked
 * @param {Board} task
 */
export function boardView(asked, task) {
  const { page, view } = asked;
  const runs = asked.runs.filter((run) => task.entries[run]);
  const sorted = COLUMNS.some(({ name }) => name === view.sort) ? view.sort : "rank";
  const heads = COLUMNS.map((column) => sortHead(asked, column, sorted));
  /** @param {number[]} group */
  const order = (group) => {
    const best = inOrder(group, (run) => task.entries[run].value, true);
    return inOrder(best, (run) => sortValue(page, task, run, sorted), view.down !== "");
  };
  const groups = task.groups.map((group, number) => ({
    title: groupTitle(group),
    members: order(runs.filter((run) => task.entries[run].group === number)),
  }));
  const unranked = { title: "Not ranked", members: runs.filter((run) => task.entries[run].group === undefined) };
  const bodies = [...groups, unranked]
    .filter(({ members }) => members.length > 0)
    .map(({ title, members }) => [
      h("tr", { class: "group" }, h("th", { scope: "rowgroup", colspan: COLUMNS.length }, title)),
      ...members.map((run) => boardRow(page, task, run)),
    ]);
  return tableOf(`${task.label}: ${plural(runs.length, "run")}`, heads, bodies);
}

/**
 * A column of a table.
 *
 * @typedef {object} Column
 * @property {string} label
 * @property {string} [name] as addresses have it; without one the table is never sorted by it
 * @property {boolean} [down] whether the largest come first at first
 * @property {boolean} [number]
 */

/** @type {Column[]} */
const COLUMNS = [
  { name: "rank", label: "Rank" },
  { name: "name", label: "Run" },
  { name: "size", label: "Size", number: true },
  { name: "value", label: "Score", down: true },
  { label: "95 % CI" },
  { label: "n" },
  { name: "started", label: "Date", down: true },
];

/**
 * @param {LeaderboardDocument} page
 * @param {Board} task
 * @param {number} run
 * @param {string} column
 * @returns {Sortable}
 */
function sortValue(page, task, run, column) {
  const entry = task.entries[run];
  if (column === "name") return page.runs[run].name;
  if (column === "size") return page.runs[run].size;
  if (column === "value") return entry.value;
  if (column === "started") return startOf(page, run);
  return entry.rank?.[0] ?? null;
}

/**
 * A head by which the table is sorted.
 *
 * @param {Asked} asked
 * @param {Column} column
 * @param {string} sorted name of the column that it is sorted by
 */
function sortHead({ view, sortBy }, { name, label, down = false, number = false }, sorted) {
  if (name === undefined) return label;
  const direction = name !== sorted ? "none" : view.down ? "descending" : "ascending";
  const arrow = { none: "", descending: " ▼", ascending: " ▲" }[direction];
  const button = h(
    "button",
    { type: "button", class: "link sort", onclick: () => sortBy(name, down) },
    own(label),
    h("span", { "aria-hidden": "true" }, arrow),
  );
  return h("th", { scope: "col", class: number ? "number" : null, "aria-sort": direction }, button);
}

/**
 * Numbers of runs in the order that is asked for; what has no value comes last.
 *
 * @param {number[]} runs
 * @param {(run: number) => Sortable} value
 * @param {boolean} descending
 */
function inOrder(runs, value, descending) {
  const valued = runs.map((run) => ({ run, value: value(run) }));
  const known = valued.filter((each) => each.value !== null);
  const unknown = valued.filter((each) => each.value === null);
  known.sort((one, other) => compare(one.value, other.value) * (descending ? -1 : 1) || one.run - other.run);
  return [...known, ...unknown].map((each) => each.run);
}

/**
 * @param {Sortable} one
 * @param {Sortable} other
 */
function compare(one, other) {
  if (typeof one === "string" && typeof other === "string") return one.localeCompare(other);
  return Number(one) - Number(other);
}

/**
 * Whether a result is not one of those that its task is ranked by first of all.
 *
 * @param {Board} task
 * @param {Entry} entry
 */
function setBack(task, entry) {
  return entry.group === undefined || task.groups[entry.group].special;
}

/**
 * @param {Board} task
 * @param {Entry} entry
 */
function shortCell(task, entry) {
  const rank = entry.rank ? h("span", { class: "quiet" }, ` (${rankText(entry)})`) : null;
  return h(
    "span",
    { class: setBack(task, entry) ? "set-back" : null, title: entry.why || null },
    own(entry.score),
    rank,
    tags(entry.shortMarks),
  );
}

/**
 * Ranks as an interval, "2" or "1–3"; empty where a result is not ranked.
 *
 * @param {Entry} entry
 */
function rankText(entry) {
  if (!entry.rank) return "";
  const [first, last] = entry.rank;
  return first === last ? String(first) : `${first}–${last}`;
}

/** @param {Group} group */
function groupTitle(group) {
  const asked = plural(group.questions, "question");
  if (group.runs < 2) return `Alone under its conditions: ${asked}`;
  return `Ranked together: ${group.runs} runs on the same ${asked}`;
}

/**
 * @param {LeaderboardDocument} page
 * @param {number} run
 */
function runLink(page, run) {
  return h("a", { href: page.runs[run].page }, own(page.runs[run].name));
}

/**
 * @param {LeaderboardDocument} page
 * @param {number} run
 */
function startOf(page, run) {
  return page.runs[run].made.find(([name]) => name === "started")?.[1] ?? "";
}

/**
 * @param {LeaderboardDocument} page
 * @param {Board} task
 * @param {number} run
 */
function boardRow(page, task, run) {
  const entry = task.entries[run];
  const cells = [
    h("th", { scope: "row" }, rankText(entry) || "–"),
    h("td", {}, runLink(page, run)),
    h("td", { class: "number" }, sizeText(page.runs[run].size)),
    h(
      "td",
      {},
      own(entry.metric),
      " ",
      h("b", {}, own(entry.score)),
      tags(entry.marks),
      entry.why ? h("div", { class: "quiet" }, own(entry.why)) : null,
    ),
    h("td", { class: "number" }, intervalText(entry)),
    h("td", { class: "number" }, count(entry.n)),
    h("td", { class: "nowrap" }, own(startOf(page, run).slice(0, 10))),
  ];
  return h("tr", {}, cells);
}
