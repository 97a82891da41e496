// Plots as drawings of the page. Runs differ in colour, letter and dashes, so that they can be told apart in grey.

import { count, fixed, plural } from "./numbers.js";
import { cut, h, own, svg } from "./text.js";

/** @import { Metric, Probabilities, Run } from "./types" */
/** @import { Child } from "./text.js" */

/** @typedef {[x: number, y: number]} Point */

const DASHES = ["", "6 3", "2 3", "8 3 2 3", "1 4"];
const COLOURS = 6;

/**
 * The letter by which a page calls a run.
 *
 * @param {number} run
 */
export function letter(run) {
  return String.fromCharCode(65 + (run % 26));
}

/**
 * The class that gives a run its colour.
 *
 * @param {number} run
 */
export function series(run) {
  return `run-${run % COLOURS}`;
}

/**
 * A run's letter in its colour.
 *
 * @param {number} run
 */
export function badge(run) {
  return h("span", { class: `badge ${series(run)}`, "aria-hidden": "true" }, letter(run));
}

/** @param {Run[]} runs */
export function legend(runs) {
  return h(
    "ul",
    { class: "legend" },
    runs.map((run, place) => h("li", {}, badge(place), " ", own(run.name))),
  );
}

/**
 * A figure with a drawing that says in words what it shows.
 *
 * @param {string} caption
 * @param {number} width
 * @param {number} height
 * @param {Child[]} marks
 * @param {string | null} note
 */
function figure(caption, width, height, marks, note = null) {
  const drawing = svg(
    "svg",
    { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": caption, class: "plot" },
    marks,
  );
  drawing.style.maxWidth = `${width}px`;
  return h("figure", {}, drawing, h("figcaption", {}, h("b", {}, own(caption)), note && [" ", note]));
}

/**
 * Benchmarks as axes from 0 to the most they could be.
 *
 * @param {string} caption
 * @param {string[]} axes labels
 * @param {(number | null)[][]} runs of each run a share (0 to 1), or null, an axis
 * @param {string} note
 */
export function radar(caption, axes, runs, note) {
  const width = Math.min(560, document.documentElement.clientWidth - 24); // so that its letters stay legible
  const [height, radius] = [0.72 * width, Math.min(0.25 * width, width / 2 - 100)];
  /**
   * @param {number} axis
   * @param {number} share
   * @returns {Point}
   */
  const at = (axis, share) => {
    const angle = (2 * Math.PI * axis) / axes.length - Math.PI / 2;
    return [width / 2 + radius * share * Math.cos(angle), height / 2 + radius * share * Math.sin(angle)];
  };
  /** @param {number} share */
  const points = (share) =>
    axes
      .map((_, axis) =>
        at(axis, share)
          .map((value) => value.toFixed(1))
          .join(),
      )
      .join(" ");
  const rings = [0.25, 0.5, 0.75, 1].map((share) => svg("polygon", { points: points(share), class: "grid" }));
  const spokes = axes.map((_, axis) => {
    const [x, y] = at(axis, 1);
    return svg("line", { x1: width / 2, y1: height / 2, x2: x, y2: y, class: "grid" });
  });
  const labels = axes.map((text, axis) => {
    const [x, y] = at(axis, 1.1);
    const side = Math.abs(x - width / 2) < 20 ? "middle" : x > width / 2 ? "start" : "end";
    return svg(
      "text",
      { x, y, "text-anchor": side, "dominant-baseline": "middle" },
      text.length > 22 ? `${cut(text, 21)}…` : text,
    );
  });
  const shapes = runs.map((shares, run) => {
    const corners = shares.map((share, axis) => (share === null ? null : at(axis, Math.max(0, Math.min(1, share)))));
    const dots = corners
      .filter((corner) => corner !== null)
      .map(([x, y]) => svg("circle", { cx: x.toFixed(1), cy: y.toFixed(1), r: 2.5, class: "dot" }));
    const line = svg("path", { d: outline(corners), class: "shape", "stroke-dasharray": DASHES[run % DASHES.length] });
    return svg("g", { class: series(run) }, line, dots);
  });
  return figure(caption, width, height, [...rings, ...spokes, ...labels, ...shapes], note);
}

/**
 * A path around all corners; where one is missing (null) it is open.
 *
 * @param {(Point | null)[]} corners
 */
function outline(corners) {
  if (corners.length === 0) return "";
  /** @param {Point} corner */
  const text = ([x, y]) => `${x.toFixed(1)} ${y.toFixed(1)}`;
  const there = corners.filter((corner) => corner !== null);
  if (there.length === corners.length) return `M${there.map(text).join("L")}Z`;
  return corners
    .map((from, place) => {
      const to = corners[(place + 1) % corners.length];
      return from === null || to === null ? "" : `M${text(from)}L${text(to)}`;
    })
    .join("");
}

/**
 * A value of each run as a bar from 0 to `most` with its interval.
 *
 * @param {string} label
 * @param {(Pick<Metric, "value" | "interval"> | null)[]} values
 * @param {number} most
 */
export function bars(label, values, most) {
  const [width, step] = [220, 11];
  const height = values.length * step + 2;
  /** @param {number} value */
  const place = (value) => Math.max(0, Math.min(1, value / most)) * (width - 2) + 1;
  const marks = values.map((metric, run) => {
    if (metric === null || metric.value === null) return null;
    const y = run * step + 2;
    /** @type {SVGElement[]} */
    const parts = [
      svg("rect", {
        x: 1,
        y,
        width: Math.max(0.5, place(metric.value) - 1).toFixed(1),
        height: step - 3,
        class: "bar",
      }),
    ];
    if (metric.interval) {
      const [low, high] = metric.interval.map((value) => place(value).toFixed(1));
      const middle = y + (step - 3) / 2;
      parts.push(
        svg("path", {
          d: `M${low} ${y + 1}V${y + step - 4}M${low} ${middle}H${high}M${high} ${y + 1}V${y + step - 4}`,
          class: "whisker",
        }),
      );
    }
    return svg("g", { class: series(run) }, parts);
  });
  const frame = svg("rect", { x: 0.5, y: 0.5, width: width - 1, height: height - 1, class: "frame" });
  return svg(
    "svg",
    { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": label, class: "bars" },
    frame,
    marks,
  );
}

/**
 * Confidence against accuracy: the area of a dot is the share of the questions in its bin.
 *
 * @param {Probabilities} found
 * @param {number} run
 * @param {string} name of the run
 */
export function calibration(found, run, name) {
  const [size, edge, rest] = [250, 36, 16];
  /** @param {number} share */
  const x = (share) => edge + share * (size - edge - rest);
  /** @param {number} share */
  const y = (share) => size - edge - share * (size - edge - rest);
  const ticks = [0, 0.5, 1].flatMap((share) => [
    svg("line", { x1: x(share), y1: y(0), x2: x(share), y2: y(1), class: "grid" }),
    svg("line", { x1: x(0), y1: y(share), x2: x(1), y2: y(share), class: "grid" }),
    svg("text", { x: x(share), y: size - edge + 14, "text-anchor": "middle" }, String(100 * share)),
    svg("text", { x: edge - 5, y: y(share), "text-anchor": "end", "dominant-baseline": "middle" }, String(100 * share)),
  ]);
  const diagonal = svg("line", { x1: x(0), y1: y(0), x2: x(1), y2: y(1), class: "diagonal" });
  const dots = found.bins.map(([number, confidence, accuracy]) => {
    const told = `${plural(number, "question")}: confidence ${fixed(100 * confidence, 1)} %, right ${fixed(100 * accuracy, 1)} %`;
    const r = (2 + 10 * Math.sqrt(number / found.n)).toFixed(1);
    return svg(
      "circle",
      { cx: x(confidence).toFixed(1), cy: y(accuracy).toFixed(1), r, class: "bubble" },
      svg("title", {}, told),
    );
  });
  const axes = [
    svg("text", { x: x(0.5), y: size - 4, "text-anchor": "middle" }, "confidence, %"),
    svg("text", { x: 9, y: y(0.5), "text-anchor": "middle", transform: `rotate(-90 9 ${y(0.5)})` }, "right, %"),
  ];
  const area = found.auc === null ? "" : `AUC ${fixed(found.auc)}, `;
  const numbers = `${area}calibration error ${fixed(found.calibration_error)}, Brier ${fixed(found.brier, 3)}, n ${count(found.n)}.`;
  const marks = [...ticks, diagonal, svg("g", { class: series(run) }, dots), ...axes];
  return figure(`Calibration of ${name}`, size, size, marks, numbers);
}
