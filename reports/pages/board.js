"use strict";
// Tables of a leaderboard: all tasks side by side, and one task with everything that is known of each result.

const SIZES = [
  ["1", "up to 1 B", (size) => size !== null && size <= 1],
  ["4", "1 to 4 B", (size) => size !== null && size > 1 && size <= 4],
  ["10", "4 to 10 B", (size) => size !== null && size > 4 && size <= 10],
  ["more", "over 10 B", (size) => size !== null && size > 10],
  ["unknown", "unknown", (size) => size === null],
];

/** The numbers of the runs that pass the filters by name and size. */
function chosenRuns(page, view) {
  const fits = SIZES.find(([name]) => name === view.size)?.[2] ?? (() => true);
  const wanted = view.text.toLowerCase();
  return page.runs
    .map((_, run) => run)
    .filter((run) => fits(page.runs[run].size) && page.runs[run].name.toLowerCase().includes(wanted));
}

function protocolOf(label) {
  return label.slice(label.indexOf("@") + 1);
}

/** Ranks as an interval, "2" or "1–3"; empty where a result is not ranked. */
function rankText(entry) {
  if (!entry.rank) return "";
  const [first, last] = entry.rank;
  return first === last ? String(first) : `${first}–${last}`;
}

function sizeText(size) {
  return size === null
    ? "–"
    : size >= 1
      ? `${Number(size.toPrecision(3))} B`
      : `${Number((1000 * size).toPrecision(3))} M`;
}

function runLink(page, run) {
  return h("a", { href: page.runs[run].page }, own(page.runs[run].name));
}

/** A head by which the table is sorted. `sorted`: null or the direction. */
function sortHead(label, sorted, sort, number) {
  const arrow = sorted === "ascending" ? " ▲" : sorted === "descending" ? " ▼" : "";
  const button = h(
    "button",
    { type: "button", class: "link sort", onclick: sort },
    own(label),
    h("span", { "aria-hidden": "true" }, arrow),
  );
  return h("th", { scope: "col", class: number ? "number" : null, "aria-sort": sorted ?? "none" }, button);
}

/** Numbers of runs in the order that is asked for; what has no value comes last. */
function inOrder(runs, value, descending) {
  const compare = (one, other) => (typeof one === "string" ? one.localeCompare(other) : one - other);
  const known = runs.filter((run) => value(run) !== null);
  known.sort((one, other) => compare(value(one), value(other)) * (descending ? -1 : 1) || one - other);
  return [...known, ...runs.filter((run) => value(run) === null)];
}

/** All runs on all tasks: scores with rank intervals; what is not ranked with the first group is set back. */
function matrix(page, tasks, view, sortBy) {
  const by = tasks.find((task) => task.label === view.sort);
  const value = (run) => {
    if (view.sort === "name") return page.runs[run].name;
    if (view.sort === "size") return page.runs[run].size;
    return by?.entries[run]?.value ?? null;
  };
  const behind = (run) => (by?.entries[run] ? setBack(by, by.entries[run]) : false);
  const sorted = inOrder(chosenRuns(page, view), value, view.down === 1);
  const order = [...sorted.filter((run) => !behind(run)), ...sorted.filter(behind)];
  const direction = (name) => (view.sort === name ? (view.down ? "descending" : "ascending") : null);
  const heads = [
    sortHead("Run", direction("name"), () => sortBy("name", 0), false),
    sortHead("Size", direction("size"), () => sortBy("size", 0), true),
    ...tasks.map((task) => sortHead(task.label, direction(task.label), () => sortBy(task.label, 1), false)),
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
  return tableOf(
    `${plural(order.length, "run")} on ${plural(tasks.length, "task")}; rank intervals in brackets`,
    heads,
    [rows],
    "many",
  );
}

/** Whether a result is not one of those that its task is ranked by first of all. */
function setBack(task, entry) {
  return entry.group === undefined || task.groups[entry.group].special;
}

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

/** One task: its groups of runs that are ranked together, then what is not ranked. */
function boardView(page, task, view, sortBy) {
  const runs = chosenRuns(page, view).filter((run) => task.entries[run]);
  const value = (run) => {
    const entry = task.entries[run];
    const values = {
      name: page.runs[run].name,
      size: page.runs[run].size,
      value: entry.value,
      started: startOf(page, run),
    };
    return values[view.sort] ?? (entry.rank ? entry.rank[0] : null);
  };
  const columns = [
    ["rank", "Rank", 0],
    ["name", "Run", 0],
    ["size", "Size", 0],
    ["value", "Score", 1],
    [null, "95 % CI"],
    [null, "n"],
    ["started", "Date", 1],
  ];
  const sorted = columns.some(([name]) => name === view.sort) ? view.sort : "rank";
  const heads = columns.map(([name, label, down]) =>
    name === null
      ? label
      : sortHead(
          label,
          name === sorted ? (view.down ? "descending" : "ascending") : null,
          () => sortBy(name, down),
          label === "Size",
        ),
  );
  const order = (group) =>
    inOrder(
      inOrder(group, (run) => task.entries[run].value, true),
      value,
      view.down === 1,
    );
  const parts = task.groups.map((group, number) => [
    groupTitle(group),
    order(runs.filter((run) => task.entries[run].group === number)),
  ]);
  parts.push(["Not ranked", runs.filter((run) => task.entries[run].group === undefined)]);
  const shown = parts.filter(([, group]) => group.length > 0);
  const bodies = shown.map(([title, group]) => [
    h("tr", { class: "group" }, h("th", { scope: "rowgroup", colspan: columns.length }, title)),
    ...group.map((run) => boardRow(page, task, run)),
  ]);
  return tableOf(`${task.label}: ${plural(runs.length, "run")}`, heads, bodies);
}

function groupTitle(group) {
  const asked = plural(group.questions, "question");
  if (group.runs < 2) return `Alone under its conditions: ${asked}`;
  return `Ranked together: ${group.runs} runs on the same ${asked}`;
}

function startOf(page, run) {
  return page.runs[run].made.find(([name]) => name === "started")?.[1] ?? "";
}

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
