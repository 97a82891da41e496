// The addresses of a view, and which runs they put side by side.

import { Address } from "./address.js";

/** @import { Task } from "./types" */

/** What an address says where no run is to be compared with. */
export const NONE = "none";

/** `run` and `baseline` are numbers of runs; empty as the page opens, see `sides`. */
export const address = new Address({
  task: "",
  run: "",
  baseline: "",
  state: "",
  change: "",
  category: "",
  text: "",
  sample: "",
});

/** @typedef {typeof address.first} View */

/** @typedef {{run: number, baseline: number | null}} Sides */

/**
 * The runs that have begun a task.
 *
 * @param {Task} task
 */
export function runsOf(task) {
  return task.states.flatMap((states, run) => (states === null ? [] : [run]));
}

/**
 * The run that is looked at, and the one it is compared with. As in `mipha-eval compare` the first run is the baseline unless
 * another is asked for, so that a page of several runs opens with the second against it.
 *
 * @param {Task} task
 * @param {View} view
 * @returns {Sides}
 */
export function sides(task, view) {
  const runs = runsOf(task);
  /** @param {string} name */
  const asked = (name) => runs.find((run) => String(run) === name);
  /** @param {number | undefined} other */
  const firstBut = (other) => runs.find((run) => run !== other);
  const run = asked(view.run) ?? firstBut(asked(view.baseline) ?? runs[0]) ?? runs[0];
  if (view.baseline === NONE) return { run, baseline: null };
  const baseline = asked(view.baseline);
  return { run, baseline: (baseline === run ? undefined : baseline) ?? firstBut(run) ?? null };
}
