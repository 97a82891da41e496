// Sizes of models, in billions of parameters; null if nobody knows.

/** Classes of size that can be asked for: more than `over`, up to `most`. */
export const SIZES = [
  { name: "1", label: "up to 1 B", over: 0, most: 1 },
  { name: "4", label: "1 to 4 B", over: 1, most: 4 },
  { name: "10", label: "4 to 10 B", over: 4, most: 10 },
  { name: "more", label: "over 10 B", over: 10, most: Number.POSITIVE_INFINITY },
  { name: "unknown", label: "unknown", over: null, most: null },
];

/**
 * Whether a size is in a class.
 *
 * @param {number | null} size
 * @param {(typeof SIZES)[number]} wanted
 */
export function isOfSize(size, { over, most }) {
  if (size === null || over === null || most === null) return size === over;
  return size > over && size <= most;
}

/** @param {number | null} size */
export function sizeText(size) {
  if (size === null) return "–";
  return size >= 1 ? `${Number(size.toPrecision(3))} B` : `${Number((1000 * size).toPrecision(3))} M`;
}
