// The metric that stands for a result.

/** @import { Metric, Result } from "./types" */

/**
 * That metric; null if nothing that it needs was scored.
 *
 * @param {Result | null} result
 * @returns {Metric | null}
 */
export function headlineOf(result) {
  return result?.metrics.find((metric) => metric.name === result.headline) ?? null;
}

/**
 * What a result has reached of the most that it could; null where it has no such limit.
 *
 * @param {Result | null} result
 */
export function shareOfMost(result) {
  const metric = headlineOf(result);
  return metric?.most && metric.value !== null ? metric.value / metric.most : null;
}
