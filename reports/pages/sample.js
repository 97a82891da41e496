// One question with its pictures, its references and what each run answered.

import { count, fixed } from "./numbers.js";
import { isMissing, isPartly, stateOf, stateTag } from "./outcomes.js";
import { badge, bars, series } from "./plots.js";
import { table } from "./tables.js";
import { block, brief, h, listed, own } from "./text.js";

/** @import { Source } from "./source.js" */
/** @import { Child } from "./text.js" */
/** @import { Answer, MadeAgain, Picture, Row, Task, Verdict, ViewDocument } from "./types" */

/**
 * @typedef {object} Asked
 * @property {ViewDocument} page
 * @property {Task} task
 * @property {Row} row the question
 * @property {number} place of the question in its task
 */

/**
 * @param {Asked} asked
 * @param {Source} source
 * @param {(place: number) => void} go leads to another question
 * @returns {Child[]}
 */
export function sampleView(asked, source, go) {
  const { row } = asked;
  return [
    h(
      "div",
      { class: "pictures" },
      row.images.map((image) => picture(source, image)),
    ),
    row.images.length ? null : h("p", { class: "quiet" }, "A question without a picture."),
    h("h4", {}, "Question"),
    block(row.prompt),
    h("h4", {}, "References"),
    accepted(row),
    row.categories.length ? h("p", { class: "quiet" }, "Counts in ", listed(row.categories.map(own))) : null,
    row.together.length ? together(row, go) : null,
    row.answers.map((answer, run) => (answer === null ? null : answerView(asked, answer, run))),
  ];
}

/**
 * @param {Source} source
 * @param {Picture} picture
 */
function picture(source, [number, name]) {
  const image = h("img", { alt: `Picture ${name}`, class: "picture" });
  const told = h("figcaption", { class: "quiet" }, own(name));
  const missing = () => image.replaceWith(h("p", { class: "missing" }, "This picture is not there."));
  image.addEventListener("error", missing, { once: true });
  source.thumbnail(number).then((address) => (address === null ? missing() : image.setAttribute("src", address)));
  const whole = source.whole(number);
  const shown = whole === null ? image : h("a", { href: whole, target: "_blank", rel: "noreferrer" }, image);
  return h("figure", {}, shown, told);
}

/** @param {Row} row */
function accepted(row) {
  if (row.choices.length > 0) return choices(row);
  if (row.target.length === 0) return h("p", { class: "quiet" }, "None: the labels are not public.");
  return answers(row.target);
}

/** @param {Row} row */
function choices(row) {
  const entries = row.choices.map((text, place) => {
    const name = String.fromCharCode(65 + place);
    const right = row.target.includes(name);
    return text === ""
      ? null
      : h("li", { class: right ? "right" : null }, `${name}. `, own(text), right ? " (right)" : "");
  });
  return h("ul", { class: "options" }, entries);
}

/** @param {string[]} texts */
function answers(texts) {
  /** @type {Map<string, number>} */
  const numbers = new Map();
  for (const text of texts) numbers.set(text, (numbers.get(text) ?? 0) + 1);
  const entries = [...numbers].map(([text, number]) =>
    h("li", {}, block(text), number > 1 ? h("span", { class: "quiet" }, ` × ${number}`) : null),
  );
  return h("ul", { class: "references" }, entries);
}

/**
 * @param {Row} row
 * @param {(place: number) => void} go
 */
function together(row, go) {
  const links = row.together.map((place) =>
    h("button", { type: "button", class: "link", onclick: () => go(place) }, `question ${count(place + 1)}`),
  );
  return h("p", { class: "quiet" }, "Scored together with ", listed(links));
}

/**
 * What one run answered, how that was read and what it is worth.
 *
 * @param {Asked} asked
 * @param {Answer} answer
 * @param {number} run
 */
function answerView({ page, task, place }, answer, run) {
  const state = stateOf(task, run, place);
  const { name } = page.runs[run];
  return h(
    "section",
    { class: `answer ${series(run)}`, "aria-label": `Answer of ${name}` },
    h("h4", {}, badge(run), " ", own(name), " ", stateTag(state), isPartly(state) ? ` ${fixed(answer.value)}` : ""),
    answerText(answer, state),
    answer.rule ? reading(answer, answer.rule) : null,
    answer.cut ? h("p", { class: "note" }, "Cut off at the most tokens that an answer may have.") : null,
    answer.served ? h("p", { class: "quiet" }, "Server: ", own(answer.served)) : null,
    answer.probabilities ? probabilities(answer.probabilities) : null,
    answer.opinion ? opinion(answer.opinion) : null,
    (answer.verdicts ?? []).map(verdict),
    answer.reference ? madeAgain(answer.reference) : null,
    answer.details ? details(answer.details) : null,
  );
}

/**
 * @param {Answer} answer
 * @param {string} state
 */
function answerText(answer, state) {
  if (answer.error) return h("div", { class: "note" }, "Failed: ", block(answer.error));
  if (answer.text === undefined) {
    const told = "No answer is stored";
    return h(
      "p",
      { class: "note" },
      isMissing(state) ? `${told}.` : `${told}; the official scorer takes that for wrong.`,
    );
  }
  if (answer.text === "") return h("p", { class: "note" }, "The answer is empty.");
  return block(answer.text, answer.span ?? null);
}

/**
 * @param {Answer} answer
 * @param {string} rule
 */
function reading(answer, rule) {
  const read = String(answer.reading ?? "");
  return h(
    "p",
    {},
    answer.unparsed ? "Nobody could say what was answered" : ["Read as ", h("b", {}, brief(read))],
    " by rule ",
    h("code", {}, own(rule)),
    answer.span || answer.unparsed ? "" : ", from the whole answer",
  );
}

/** @param {[name: string, chance: number][]} pairs */
function probabilities(pairs) {
  const rows = pairs.map(([name, chance]) => [
    own(name),
    `${fixed(100 * chance, 1)}`,
    bars(`${name} ${fixed(100 * chance, 1)} %`, [{ value: chance, interval: null }], 1),
  ]);
  return table("How probable the model held each answer, %", ["Answer", "Value", "Bar"], rows);
}

/**
 * A judge's second opinion on an answer that the task reads by a rule of its own.
 *
 * @param {[value: number]} opinion
 */
function opinion([value]) {
  const held = value >= 1 ? "right" : value <= 0 ? "wrong" : fixed(value);
  return h("p", {}, "The judge holds it for ", h("b", {}, held), ".");
}

/** @param {Verdict} found */
function verdict(found) {
  const said = found.error ? h("div", { class: "note" }, "Failed: ", block(found.error)) : block(found.text);
  return h("div", { class: "verdict" }, h("p", {}, "Judge ", own(found.judge), " said"), said);
}

/** @param {MadeAgain} again */
function madeAgain(again) {
  if (again.same) return h("p", { class: "quiet" }, "Made again without sharing: the same answer.");
  const what = again.error
    ? "Could not be made again without sharing:"
    : "Made again without sharing it is another answer:";
  return h("div", { class: "note" }, what, block(again.error ?? again.text ?? ""));
}

/** @param {Record<string, unknown>} values */
function details(values) {
  const rows = Object.entries(values).map(([name, value]) => {
    const text = typeof value === "string" ? value : JSON.stringify(value);
    return h("div", {}, h("dt", {}, own(name)), h("dd", {}, block(text, null, 300)));
  });
  return h("details", {}, h("summary", {}, "Counts and details of the score"), h("dl", {}, rows));
}
