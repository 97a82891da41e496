// The first view: all scores of all runs with what weakens them, and how the runs were made.

import { headlineOf, shareOfMost } from "./headline.js";
import { count, fixed, intervalText, plural } from "./numbers.js";
import { badge, legend, radar } from "./plots.js";
import { copyButton, dataCell, tableOf, tags } from "./tables.js";
import { h, own } from "./text.js";
import { address } from "./view_address.js";

/** @import { Child } from "./text.js" */
/** @import { Result, Run, Task, ViewDocument } from "./types" */

/**
 * @param {ViewDocument} page
 * @returns {Child[]}
 */
export function summaryView(page) {
  return [
    h("h2", {}, "Scores"),
    page.runs.length > 1 ? legend(page.runs) : null,
    scores(page),
    h("p", { class: "actions" }, copyButton("Copy as LaTeX", page.latex)),
    h(
      "p",
      { class: "quiet" },
      "Percentages are 0 to 100. Intervals: 95 %, clustered by image. Marks in capitals say what weakens a score.",
    ),
    benchmarks(page),
    h("h2", {}, "How the runs were made"),
    page.runs.map(making),
  ];
}

/** @param {ViewDocument} page */
function scores(page) {
  const several = page.runs.length > 1;
  const run = several ? ["Run"] : [];
  const heads = ["Task", ...run, "Score", "95 % CI", "Metric", "n", "Unparsed", "Failed", "Seconds", "Samples/s"];
  const groups = page.tasks.map((task) => {
    const found = task.results.flatMap((result, run) => (result === null ? [] : [{ result, run }]));
    return found.map(({ result, run }, place) => {
      const head = place === 0 ? h("th", { scope: "rowgroup", rowspan: found.length }, taskLink(task)) : null;
      const name = several ? [h("span", { class: "nowrap run-name" }, badge(run), " ", own(page.runs[run].name))] : [];
      return h("tr", {}, head, [...name, ...scoreCells(result)].map(dataCell));
    });
  });
  const caption = `Headline scores of ${plural(page.runs.length, "run")} on ${plural(page.tasks.length, "task")}`;
  return tableOf(caption, heads, groups);
}

/** @param {Task} task */
function taskLink(task) {
  return h("a", { href: address.of({ task: task.label }) }, own(task.label));
}

/**
 * What stands beside the task's name.
 *
 * @param {Result} result
 */
function scoreCells(result) {
  return [
    h("span", {}, h("b", {}, own(result.score)), tags(result.marks)),
    intervalText(headlineOf(result)),
    own(result.headline),
    count(result.n),
    share(result.unparsed, result.n),
    count(result.failed),
    result.seconds === null ? "stored" : fixed(result.seconds, 1),
    fixed(result.speed, 1),
  ];
}

/**
 * @param {number} part
 * @param {number} whole
 */
function share(part, whole) {
  return part && whole ? `${count(part)} (${fixed((100 * part) / whole, 1)} %)` : String(part);
}

/**
 * A radar of the headlines that have a most; with fewer than three there is nothing to see.
 *
 * @param {ViewDocument} page
 */
function benchmarks(page) {
  const axes = page.tasks.filter((task) => task.results.some((result) => headlineOf(result)?.most));
  if (axes.length < 3) return null;
  const runs = page.runs.map((_, run) => axes.map((task) => shareOfMost(task.results[run])));
  const left = page.tasks.filter((task) => !axes.includes(task)).map((task) => task.label);
  const without = left.length ? ` Without ${left.join(", ")}, which have no such limit.` : "";
  const note = `Headline scores as a share of the most they could be.${without}`;
  const labels = axes.map((task) => task.label);
  return radar("Benchmarks", labels, runs, note);
}

/**
 * @param {Run} run
 * @param {number} place
 */
function making(run, place) {
  const entries = run.made.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, own(value))));
  return h(
    "details",
    { class: "making" },
    h("summary", {}, badge(place), " ", own(run.name), h("span", { class: "quiet" }, " ", own(run.folder))),
    h("dl", {}, entries),
  );
}
