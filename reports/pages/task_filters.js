// Filters of a task's questions: what passes them, and the fields that set them.

import { searchField, selectField } from "./filters.js";
import { count } from "./numbers.js";
import { CHANGES, changeOf, OUTCOMES, stateOf } from "./outcomes.js";
import { letter } from "./plots.js";
import { NONE, runsOf } from "./view_address.js";

/** @import { Option } from "./filters.js" */
/** @import { Run, Task } from "./types" */
/** @import { Sides, View } from "./view_address.js" */

/** What a view is without filters. */
export const UNFILTERED = { state: "", change: "", category: "", text: "", sample: "" };

/**
 * What the fields are about.
 *
 * @typedef {object} Filtering
 * @property {Run[]} runs
 * @property {Task} task
 * @property {View} view
 * @property {Sides} sides
 * @property {(change: Partial<View>) => void} change called with what is asked for from now on
 */

/**
 * The places of the questions that pass all filters but the search.
 *
 * @param {Task} task
 * @param {View} view
 * @param {Sides} sides
 */
export function filtered(task, view, { run, baseline }) {
  const letters = OUTCOMES.find((outcome) => outcome.name === view.state)?.letters;
  const wanted = task.kinds.map((names) => view.category === "" || names.includes(view.category));
  const places = [];
  for (let place = 0; place < task.count; place += 1) {
    if (!wanted[task.kind[place]]) continue;
    if (letters && !letters.includes(stateOf(task, run, place))) continue;
    if (view.change && baseline !== null && changeOf(task, run, baseline, place) !== view.change) continue;
    places.push(place);
  }
  return places;
}

/** @param {Filtering} filtering */
export function filterFields(filtering) {
  const { task, view, change } = filtering;
  const names = [...new Set(task.kinds.flat())].sort();
  return [
    ...sideFields(filtering),
    select(filtering, "state", "Outcome", [["", `All ${count(task.count)}`], ...outcomes(filtering)]),
    ...changeFields(filtering),
    ...(names.length
      ? [select(filtering, "category", "Category", [["", "All"], ...names.map((name) => option(name, name))])]
      : []),
    searchField("Text", view.text, (text) => change({ text, sample: "" })),
  ];
}

/**
 * @param {Filtering} filtering
 * @param {"state" | "change" | "category"} name
 * @param {string} label
 * @param {Option[]} options
 */
function select({ view, change }, name, label, options) {
  return selectField(name, label, options, view[name], (value) => change({ [name]: value, sample: "" }));
}

/**
 * Which run is looked at, and with which it is compared.
 *
 * @param {Filtering} filtering
 */
function sideFields({ runs, task, view, sides, change }) {
  const { run, baseline } = sides;
  const options = runsOf(task).map((each) => option(String(each), `${letter(each)} ${runs[each].name}`));
  if (options.length < 2) return [];
  const others = options.filter(([each]) => each !== String(run));
  /** @param {string} chosen the baseline changes places with the run that was looked at */
  const chooseRun = (chosen) => {
    const other = chosen === String(baseline) ? run : baseline;
    change({ run: chosen, baseline: String(other ?? NONE), sample: "" });
  };
  /** @param {string} chosen */
  const chooseBaseline = (chosen) =>
    change({ run: String(run), baseline: chosen, change: chosen === NONE ? "" : view.change, sample: "" });
  return [
    selectField("run", "Run", options, String(run), chooseRun),
    selectField("baseline", "Compare with", [[NONE, "nothing"], ...others], String(baseline ?? NONE), chooseBaseline),
  ];
}

/** @param {Filtering} filtering */
function outcomes({ task, view, sides }) {
  const states = [...(task.states[sides.run] ?? "")];
  return OUTCOMES.flatMap(({ name, label, letters }) => {
    const number = states.filter((state) => letters.includes(state)).length;
    return number || name === view.state ? [option(name, `${label} ${count(number)}`)] : [];
  });
}

/** @param {Filtering} filtering */
function changeFields(filtering) {
  const { task, sides } = filtering;
  const { run, baseline } = sides;
  if (baseline === null) return [];
  const changes = task.ids.map((_, place) => changeOf(task, run, baseline, place));
  const options = CHANGES.map(({ name, label }) =>
    option(name, `${label} ${count(changes.filter((change) => change === name).length)}`),
  );
  return [select(filtering, "change", "Against it", [["", "All"], ...options])];
}

/**
 * @param {string} value
 * @param {string} text
 * @returns {Option}
 */
function option(value, text) {
  return [value, text];
}
