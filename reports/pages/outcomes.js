// What became of questions, in one run and against another. A state is a letter, see mipha_eval/page/outcomes.py; it is small
// where nobody could say what was answered.

import { h } from "./text.js";

/** @import { Task } from "./types" */

/** @typedef {{symbol: string, word: string}} Meaning */

/** @type {Record<string, Meaning>} */
const MEANINGS = {
  R: { symbol: "✓", word: "right" },
  P: { symbol: "◐", word: "partly right" },
  W: { symbol: "✗", word: "wrong" },
  F: { symbol: "!", word: "failed" },
  M: { symbol: "–", word: "no answer" },
  U: { symbol: "·", word: "labels not public" },
  J: { symbol: "?", word: "not judged" },
  "-": { symbol: " ", word: "not asked" },
};

/** Sorts of outcome that can be asked for. */
export const OUTCOMES = [
  { name: "right", label: "Right", letters: "Rr" },
  { name: "partly", label: "Partly right", letters: "Pp" },
  { name: "wrong", label: "Wrong", letters: "Ww" },
  { name: "unparsed", label: "Unparsed", letters: "rpw" },
  { name: "failed", label: "Failed", letters: "F" },
  { name: "missing", label: "No answer", letters: "M" },
  { name: "unlabelled", label: "Labels not public", letters: "U" },
  { name: "unjudged", label: "Not judged", letters: "J" },
];

/** What may be asked of a run against another: a name, and the sign of the difference. */
export const CHANGES = [
  { name: "gained", label: "Gained", sign: 1 },
  { name: "lost", label: "Lost", sign: -1 },
  { name: "same", label: "The same", sign: 0 },
];

/**
 * A question's state in a run.
 *
 * @param {Task} task
 * @param {number} run
 * @param {number} place
 */
export function stateOf(task, run, place) {
  return task.states[run]?.[place] ?? "-";
}

/** @param {string} state */
export function isPartly(state) {
  return state.toUpperCase() === "P";
}

/** @param {string} state */
export function isMissing(state) {
  return state.toUpperCase() === "M";
}

/**
 * What an answer is worth, or null where it was not scored.
 *
 * @param {Task} task
 * @param {number} run
 * @param {number} place
 */
function worth(task, run, place) {
  const state = stateOf(task, run, place).toUpperCase();
  if (state === "R") return 1;
  if (state === "W") return 0;
  return state === "P" ? (task.values[run]?.[place] ?? null) : null;
}

/**
 * The name of what a run did on a question against a baseline; null where they cannot be compared.
 *
 * @param {Task} task
 * @param {number} run
 * @param {number} baseline
 * @param {number} place
 */
export function changeOf(task, run, baseline, place) {
  const value = worth(task, run, place);
  const before = worth(task, baseline, place);
  if (value === null || before === null) return null;
  const sign = Math.sign(value - before);
  return CHANGES.find((change) => change.sign === sign)?.name ?? null;
}

/** @param {string} state */
function inWords(state) {
  const { symbol, word } = MEANINGS[state.toUpperCase()];
  const unparsed = state !== state.toUpperCase();
  return { symbol, unparsed, style: `state-${word.split(" ")[0]}`, words: unparsed ? `${word}, unparsed` : word };
}

/**
 * A sign for what became of a question, with its word for those who do not see it.
 *
 * @param {string} state
 */
export function sign(state) {
  const { symbol, unparsed, style, words } = inWords(state);
  return h(
    "span",
    { class: `sign ${style}${unparsed ? " unparsed" : ""}`, title: words },
    h("span", { "aria-hidden": "true" }, symbol),
    h("span", { class: "hidden" }, words),
  );
}

/** @param {string} state */
export function stateTag(state) {
  const { style, words } = inWords(state);
  return h("span", { class: `tag ${style}` }, words);
}
