// Numbers as text.

/** @import { Interval } from "./types" */

/** @param {number} number */
export function count(number) {
  return number.toLocaleString("en-US");
}

/** @param {number | null | undefined} number */
export function fixed(number, digits = 2) {
  return number === null || number === undefined ? "–" : number.toFixed(digits);
}

/**
 * @param {number} number
 * @param {string} word
 */
export function plural(number, word) {
  return `${count(number)} ${word}${number === 1 ? "" : "s"}`;
}

/**
 * A metric's interval, or why it has none.
 *
 * @param {Interval | null | undefined} metric
 */
export function intervalText(metric) {
  if (metric?.interval) return `${fixed(metric.interval[0])} to ${fixed(metric.interval[1])}`;
  return metric?.no_interval ? `none (${metric.no_interval})` : "–";
}
