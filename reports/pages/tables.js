"use strict";
// Tables, marks and the dialog from which text is copied.

/** A table that scrolls by itself where it is too wide. `heads`: texts; `rows`: lists of cells, the first is the row's head. */
function table(caption, heads, rows) {
  const body = rows.map(([first, ...rest]) => h("tr", {}, h("th", { scope: "row" }, first), rest.map(dataCell)));
  return tableOf(caption, heads, [body]);
}

/** The same of rows that are made already, in groups. */
function tableOf(caption, heads, groups) {
  const head = h("tr", {}, heads.map((text) => h("th", { scope: "col", class: NUMBERS.has(text) || text.length === 1 ? "number" : null }, text)));
  const bodies = groups.map((rows) => h("tbody", {}, rows));
  return scrolling(caption, h("table", {}, h("caption", {}, own(caption)), h("thead", {}, head), bodies));
}

const NUMBERS = new Set(["n", "95 % CI", "Unparsed", "Failed", "Seconds", "Samples/s", "Value", "Size"]);

function dataCell(cell) {
  return h("td", { class: typeof cell === "string" && /^[\d.,–-]/.test(cell) ? "number" : null }, cell);
}

/** A part of the page that may be wider than the screen; it can be scrolled by keyboard. */
function scrolling(label, content) {
  return h("div", { class: "scrolling", tabindex: 0, role: "region", "aria-label": label }, content);
}

/** What a reader must know before comparing a score. */
function tags(marks) {
  return marks.map((mark) => [" ", h("span", { class: "tag" }, own(mark))]).flat();
}

/** A button that shows a text to be copied, and copies it where the browser allows that. */
function copyButton(label, text) {
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
