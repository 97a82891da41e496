// A task: what its results say, every metric with its interval, calibration.

import { headlineOf } from "./headline.js";
import { count, fixed, intervalText } from "./numbers.js";
import { badge, bars, calibration, letter } from "./plots.js";
import { table, tags } from "./tables.js";
import { h, own } from "./text.js";

/** @import { Metric, Result, Task, ViewDocument } from "./types" */

/** @typedef {[name: string, text: string]} Fact */

/**
 * @param {ViewDocument} page
 * @param {Task} task
 */
export function taskNumbers(page, task) {
  const told = task.results.map((result, run) => (result === null ? null : resultFacts(page, result, run)));
  return h(
    "section",
    { "aria-labelledby": "numbers" },
    h("h2", { id: "numbers" }, own(task.label)),
    h("div", { class: "results" }, told),
    h("div", { class: "plots" }, metricsOf(page, task), calibrations(page, task)),
  );
}

/**
 * A result in words.
 *
 * @param {ViewDocument} page
 * @param {Result} result
 * @param {number} run
 */
function resultFacts(page, result, run) {
  const headline = headlineOf(result);
  const facts = [
    countsOf(result),
    ...readingsOf(result),
    ...Object.entries(result.failures).map(([reason, number]) => fact("Failure", `${count(number)} × ${reason}`)),
    ...(result.served ? [fact("Served", result.served)] : []),
    ...result.judges.map((line) => fact("Judge", line)),
    ...madeAgain(result),
    fact(
      "Certificate",
      result.certificate ? `scorer compared with an independent one, ${result.certificate}` : "none that is current",
    ),
  ];
  return h(
    "div",
    { class: "result" },
    h(
      "p",
      { class: "headline" },
      badge(run),
      " ",
      own(page.runs[run].name),
      " · ",
      own(result.headline),
      " ",
      h("b", {}, own(result.score)),
      headline ? ` (${intervalText(headline)})` : "",
      tags(result.marks),
    ),
    h(
      "dl",
      {},
      facts.map(([name, text]) => h("div", {}, h("dt", {}, name), h("dd", {}, own(text)))),
    ),
  );
}

/**
 * @param {string} name
 * @param {string} text
 * @returns {Fact}
 */
function fact(name, text) {
  return [name, text];
}

/** @param {Result} result */
function countsOf(result) {
  const { missing, failed, unparsed, unlabelled } = result;
  const lacking = Object.entries({ missing, failed, unparsed, unlabelled }).filter(([, number]) => number);
  const told = lacking.map(([name, number]) => `${count(number)} ${name}`);
  return fact("Counts", [`${count(result.n)} scored`, ...told].join(", "));
}

/**
 * How answers were read.
 *
 * @param {Result} result
 */
function readingsOf(result) {
  const facts = [];
  if (result.envelope && result.unparsed) {
    const range = result.envelope.map((value) => fixed(value)).join(" to ");
    facts.push(fact("Unparsed", `${range} with all unparsed answers wrong to all right`));
  }
  if (result.lenient) facts.push(fact("Forgiving", `${result.lenient}, for comparison only`));
  const rules = Object.entries(result.rules).map(([rule, number]) => `${rule} ${count(number)}`);
  return [...facts, ...result.wrapped.map((line) => fact("Wrapped", line)), fact("Read by", rules.join(", ") || "–")];
}

/** @param {Result} result */
function madeAgain(result) {
  const check = result.equivalence;
  if (!check?.checked) return [];
  const told = `${check.identical} of ${check.checked} answers made without sharing have the same text`;
  return [fact("Made again", check.exact ? told : `${told}; in half precision they need not`)];
}

/**
 * All metrics by name, each run's value beside its interval, drawn from 0 to the most that it could be.
 *
 * @param {ViewDocument} page
 * @param {Task} task
 */
function metricsOf(page, task) {
  const names = [...new Set(task.results.flatMap((result) => result?.metrics.map((metric) => metric.name) ?? []))];
  if (names.length === 0) return h("p", { class: "quiet" }, "No metric: nothing that it needs was scored.");
  const largest = largestWithoutMost(task.results);
  const runs = task.results.flatMap((result, run) => (result === null ? [] : [run]));
  const single = runs.length === 1;
  const values = runs.flatMap((run) => [single ? "Value" : letter(run), "95 % CI"]);
  const rows = names.map((name) => {
    const metrics = task.results.map((result) => result?.metrics.find((metric) => metric.name === name) ?? null);
    const numbers = runs.flatMap((run) => [fixed(metrics[run]?.value), intervalText(metrics[run])]);
    const most = metrics.find((metric) => metric?.most)?.most ?? largest;
    return [own(name), ...numbers, bars(barLabel(page, name, metrics, most), metrics, most)];
  });
  return table(`Metrics of ${task.label}`, ["Metric", ...values, single ? "Bar" : "Bars"], rows);
}

/**
 * The largest value of the metrics that have no limit, by which their bars are scaled.
 *
 * @param {(Result | null)[]} results
 */
function largestWithoutMost(results) {
  const metrics = results.flatMap((result) => result?.metrics ?? []);
  return Math.max(1e-9, ...metrics.filter((metric) => !metric.most).map((metric) => metric.value ?? 0));
}

/**
 * @param {ViewDocument} page
 * @param {string} name
 * @param {(Metric | null)[]} metrics of each run
 * @param {number} most
 */
function barLabel(page, name, metrics, most) {
  const told = metrics.flatMap((metric, run) => (metric ? [`${page.runs[run].name} ${fixed(metric.value)}`] : []));
  return `${name} from 0 to ${fixed(most)}: ${told.join(", ")}`;
}

/**
 * @param {ViewDocument} page
 * @param {Task} task
 */
function calibrations(page, task) {
  return task.results.map((result, run) =>
    result?.probabilities ? calibration(result.probabilities, run, page.runs[run].name) : null,
  );
}
