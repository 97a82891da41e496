// Fields by which what is shown is filtered.

import { h } from "./text.js";

/** A value and how it is called. @typedef {[value: string, text: string]} Option */

/** A form of fields that act at once; it is never sent. */
export function filterForm() {
  return h("form", { class: "filters", role: "search", onsubmit: (event) => event.preventDefault() });
}

/**
 * Fills the form anew; the field that is being used stays the one that is used.
 *
 * @param {HTMLFormElement} form
 * @param {HTMLElement[]} fields
 */
export function drawFields(form, fields) {
  const used = form.contains(document.activeElement) ? document.activeElement : null;
  const name = used?.getAttribute("name");
  const caret = used instanceof HTMLInputElement ? used.selectionStart : null;
  form.replaceChildren(...fields);
  const field = name ? form.elements.namedItem(name) : null;
  if (field instanceof HTMLElement) field.focus();
  if (field instanceof HTMLInputElement && caret !== null) field.setSelectionRange(caret, caret);
}

/**
 * @param {string} name
 * @param {string} label
 * @param {Option[]} options
 * @param {string} chosen
 * @param {(value: string) => void} choose
 */
export function selectField(name, label, options, chosen, choose) {
  const select = h("select", { name, onchange: () => choose(select.value) });
  select.append(...options.map(([value, text]) => h("option", { value, selected: value === chosen }, text)));
  return h("label", {}, h("span", {}, label), select);
}

/**
 * A field for a text that is searched while it is typed; its name is `text`.
 *
 * @param {string} label
 * @param {string} value
 * @param {(text: string) => void} search
 */
export function searchField(label, value, search) {
  const input = h("input", {
    type: "search",
    name: "text",
    value,
    autocomplete: "off",
    spellcheck: "false",
    oninput: () => search(input.value),
  });
  return h("label", { class: "grows" }, h("span", {}, label), input);
}
