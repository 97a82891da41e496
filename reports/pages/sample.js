"use strict";
// One question with its pictures, its references and what each run answered.

const WORDS = {
  R: ["✓", "right"],
  P: ["◐", "partly right"],
  W: ["✗", "wrong"],
  F: ["!", "failed"],
  M: ["–", "no answer"],
  U: ["·", "labels not public"],
  J: ["?", "not judged"],
  "-": [" ", "not asked"],
};

/** A sign for what became of a question, with its word for those who do not see it. */
function sign(state) {
  const [symbol, word] = WORDS[state.toUpperCase()];
  const unparsed = state !== state.toUpperCase();
  return h(
    "span",
    {
      class: `sign state-${word.split(" ")[0]}${unparsed ? " unparsed" : ""}`,
      title: unparsed ? `${word}, unparsed` : word,
    },
    h("span", { "aria-hidden": "true" }, symbol),
    h("span", { class: "hidden" }, unparsed ? `${word}, unparsed` : word),
  );
}

function stateTag(state) {
  const word = WORDS[state.toUpperCase()][1];
  return h(
    "span",
    { class: `tag state-${word.split(" ")[0]}` },
    state === state.toUpperCase() ? word : `${word}, unparsed`,
  );
}

/** `place`: of the question in its task; `go`: leads to another place. */
function sampleView(page, source, task, row, place, go) {
  return [
    h(
      "div",
      { class: "pictures" },
      row.images.map((image) => picture(source, image)),
    ),
    row.images.length ? null : h("p", { class: "quiet" }, "A question without a picture."),
    h("h4", {}, "Question"),
    block(row.question),
    h("h4", {}, "References"),
    references(row),
    row.categories.length
      ? h(
          "p",
          { class: "quiet" },
          "Counts in ",
          row.categories.map((name, number) => [number ? ", " : "", own(name)]),
        )
      : null,
    row.together.length ? together(task, row, go) : null,
    row.answers.map((answer, run) => (answer === null ? null : answerView(page, task, answer, place, run))),
  ];
}

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

function references(row) {
  if (row.references.length === 0) return h("p", { class: "quiet" }, "None: the labels are not public.");
  if (row.lettered) {
    const [right, ...options] = row.references;
    const entries = options.map((text, place) => {
      const name = String.fromCharCode(65 + place);
      return text === ""
        ? null
        : h("li", { class: name === right ? "right" : null }, `${name}. `, own(text), name === right ? " (right)" : "");
    });
    return h("ul", { class: "options" }, entries, options.length ? null : h("li", {}, own(right)));
  }
  const numbers = new Map();
  for (const text of row.references) numbers.set(text, (numbers.get(text) ?? 0) + 1);
  const entries = [...numbers].map(([text, number]) =>
    h("li", {}, block(text), number > 1 ? h("span", { class: "quiet" }, ` × ${number}`) : null),
  );
  return h("ul", { class: "references" }, entries);
}

function together(task, row, go) {
  const links = row.together.map((place) =>
    h("button", { type: "button", class: "link", onclick: () => go(place) }, `question ${count(place + 1)}`),
  );
  return h(
    "p",
    { class: "quiet" },
    "Scored together with ",
    links.map((link, number) => [number ? ", " : "", link]),
  );
}

/** What one run answered, how that was read and what it is worth. */
function answerView(page, task, answer, place, run) {
  const state = task.states[run][place];
  const value = "Pp".includes(state) ? ` ${fixed(answer.value)}` : "";
  return h(
    "section",
    { class: `answer ${series(run)}`, "aria-label": `Answer of ${page.runs[run].name}` },
    h("h4", {}, badge(run), " ", own(page.runs[run].name), " ", stateTag(state), value),
    answerText(answer, state),
    answer.rule ? reading(answer) : null,
    answer.cut ? h("p", { class: "note" }, "Cut off at the most tokens that an answer may have.") : null,
    answer.chances ? chances(answer.chances) : null,
    answer.opinion ? opinion(answer.opinion) : null,
    (answer.verdicts ?? []).map(verdict),
    answer.alone ? alone(answer.alone) : null,
    answer.details ? details(answer.details) : null,
  );
}

function answerText(answer, state) {
  if (answer.error) return h("div", { class: "note" }, "Failed: ", block(answer.error));
  if (answer.text === undefined)
    return h(
      "p",
      { class: "note" },
      state.toUpperCase() === "M"
        ? "No answer is stored."
        : "No answer is stored; the official scorer takes that for wrong.",
    );
  if (answer.text === "") return h("p", { class: "note" }, "The answer is empty.");
  return block(answer.text, answer.span ?? null);
}

function reading(answer) {
  const read = String(answer.reading ?? "");
  return h(
    "p",
    {},
    answer.unparsed ? "Nobody could say what was answered" : ["Read as ", h("b", {}, brief(read))],
    " by rule ",
    h("code", {}, own(answer.rule)),
    answer.span || answer.unparsed ? "" : ", from the whole answer",
  );
}

function chances(pairs) {
  const rows = pairs.map(([name, chance]) => [
    own(name),
    `${fixed(100 * chance, 1)}`,
    bars(`${name} ${fixed(100 * chance, 1)} %`, [{ value: chance, interval: null }], 1),
  ]);
  return table("How probable the model held each answer, %", ["Answer", "Value", "Bar"], rows);
}

/** A judge's second opinion on an answer that the task reads by a rule of its own. */
function opinion([value]) {
  return h(
    "p",
    {},
    "The judge holds it for ",
    h("b", {}, value >= 1 ? "right" : value <= 0 ? "wrong" : fixed(value)),
    ".",
  );
}

function verdict(found) {
  const said = found.error
    ? h("div", { class: "note" }, "Failed: ", block(String(found.error)))
    : block(String(found.text ?? ""));
  return h("div", { class: "verdict" }, h("p", {}, "Judge ", own(found.judge ?? "unnamed"), " said"), said);
}

function alone(again) {
  if (again.same) return h("p", { class: "quiet" }, "Made again without sharing: the same answer.");
  const what = again.error
    ? "Could not be made again without sharing:"
    : "Made again without sharing it is another answer:";
  return h("div", { class: "note" }, what, block(again.error ?? again.text));
}

function details(values) {
  const rows = Object.entries(values).map(([name, value]) =>
    h("div", {}, h("dt", {}, own(name)), h("dd", {}, block(asText(value), null, 300))),
  );
  return h("details", {}, h("summary", {}, "Counts and details of the score"), h("dl", {}, rows));
}
