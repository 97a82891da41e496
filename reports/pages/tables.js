// Tables, marks and the dialog from which text is copied.

import { h, own } from "./text.js";

/** @import { Child } from "./text.js" */

/**
 * A table that scrolls by itself where it is too wide.
 *
 * @param {string} caption
 * @param {string[]} heads
 * @param {Child[][]} rows lists of cells, the first is the row's head
 */
export function table(caption, heads, rows) {
  const body = rows.map(([first, ...rest]) => h("tr", {}, h("th", { scope: "row" }, first), rest.map(dataCell)));
  return tableOf(caption, heads, [body]);
}

/**
 * The same of rows that are made already, in groups; heads may be made, too.
 *
 * @param {string} caption
 * @param {(string | Node)[]} heads
 * @param {Node[][]} groups
 * @param {string | null} kind class of the groups
 */
export function tableOf(caption, heads, groups, kind = null) {
  const head = h(
    "tr",
    {},
    heads.map((text) => (text instanceof Node ? text : h("th", { scope: "col", class: numberClass(text) }, text))),
  );
  const bodies = groups.map((rows) => h("tbody", { class: kind }, rows));
  return scrolling(caption, h("table", {}, h("caption", {}, own(caption)), h("thead", {}, head), bodies));
}

const NUMBERS = new Set(["n", "95 % CI", "Unparsed", "Failed", "Seconds", "Samples/s", "Value"]);

/** @param {string} head */
function numberClass(head) {
  return NUMBERS.has(head) || head.length === 1 ? "number" : null;
}

/** @param {Child} cell */
export function dataCell(cell) {
  return h("td", { class: typeof cell === "string" && /^[\d.,–-]/.test(cell) ? "number" : null }, cell);
}

/**
 * A part of the page that may be wider than the screen; it can be scrolled by keyboard.
 *
 * @param {string} label
 * @param {Node} content
 */
function scrolling(label, content) {
  return h("div", { class: "scrolling", tabindex: 0, role: "region", "aria-label": label }, content);
}

/**
 * What a reader must know before comparing a score.
 *
 * @param {string[]} marks
 */
export function tags(marks) {
  return marks.flatMap((mark) => [" ", h("span", { class: "tag" }, own(mark))]);
}

/**
 * A button that shows a text to be copied, and copies it where the browser allows that.
 *
 * @param {string} label
 * @param {string} text
 */
export function copyButton(label, text) {
  const area = h("textarea", { readonly: true, rows: 12, "aria-label": label, spellcheck: "false" });
  area.value = text;
  const told = h("p", { role: "status", class: "quiet" });
  const heading = h("h2", {}, label);
  const close = h("form", { method: "dialog" }, h("button", {}, "Close"));
  const dialog = h("dialog", { "aria-label": label, class: "wide" }, heading, area, told, close);
  const show = () => {
    document.body.append(dialog);
    dialog.showModal();
    area.select();
    navigator.clipboard.writeText(text).then(
      () => told.replaceChildren("Copied."),
      () => told.replaceChildren("Selected; copy it with the keyboard."),
    );
  };
  dialog.addEventListener("close", () => dialog.remove());
  return h("button", { type: "button", onclick: show }, label);
}
