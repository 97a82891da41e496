// Elements and text. Whatever is shown comes from outside, so text is only ever set as text.

import { count } from "./numbers.js";

/** @typedef {Node | string | null | undefined | Child[]} Child */
/** @typedef {Record<string, string | number | boolean | null | undefined | ((event: Event) => void)>} Attributes */

/**
 * An element with attributes, listeners (functions under on...) and children (nodes or texts; null is left out).
 *
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Attributes} attributes
 * @param {Child[]} children
 */
export function h(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/**
 * The same for drawings.
 *
 * @template {keyof SVGElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Attributes} attributes
 * @param {Child[]} children
 */
export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

/**
 * @template {Element} Filled
 * @param {Filled} element
 * @param {Attributes} attributes
 * @param {Child[]} children
 */
function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, String(value));
  }
  element.append(...nodes(children));
  return element;
}

/**
 * Children as a flat list of what can be put into an element.
 *
 * @param {Child[]} children
 * @returns {(Node | string)[]}
 */
export function nodes(children) {
  return children.flatMap((child) => {
    if (Array.isArray(child)) return nodes(child);
    return child === null || child === undefined ? [] : [child];
  });
}

// What a reader cannot see, or what changes the order of what he sees: control characters, marks of direction, characters
// without width, halves of a surrogate pair. Joiners are left alone, since scripts and emoji are written with them.
const UNSEEN =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/**
 * Text as nodes in which unseen characters are written out.
 *
 * @param {string} text
 */
function visible(text) {
  /** @type {(Node | string)[]} */
  const parts = [];
  let end = 0;
  for (const found of text.matchAll(UNSEEN)) {
    const code = found[0].charCodeAt(0);
    const name = `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
    parts.push(text.slice(end, found.index));
    parts.push(h("span", { class: "unseen", title: name }, code < 32 ? String.fromCharCode(0x2400 + code) : name));
    end = found.index + found[0].length;
  }
  parts.push(text.slice(end));
  return parts.filter((part) => part !== "");
}

/**
 * Text from outside within a line: its direction is its own.
 *
 * @param {string} text
 */
export function own(text) {
  return h("bdi", {}, visible(String(text)));
}

/**
 * The beginning of a text, on one line.
 *
 * @param {string} text
 */
export function brief(text, most = 160) {
  const line = text
    .slice(0, 4 * most)
    .replace(/\s+/g, " ")
    .trim();
  return own(line.length > most ? `${cut(line, most)}…` : line);
}

/**
 * The first characters of a text, no pair of surrogates torn.
 *
 * @param {string} text
 * @param {number} most
 */
export function cut(text, most) {
  const half = text.charCodeAt(most - 1);
  return text.slice(0, half >= 0xd800 && half <= 0xdbff ? most - 1 : most);
}

const LONG = 2000; // characters that are shown of a text at first

/**
 * A text of any length with a part of it marked; what is long is cut until it is asked for.
 *
 * @param {string} text
 * @param {[start: number, end: number] | null} span
 */
export function block(text, span = null, most = LONG) {
  const box = h("div", { class: "block", dir: "auto" });
  /** @param {boolean} whole */
  const show = (whole) => {
    const kept = whole ? text : cut(text, most);
    box.replaceChildren(...marked(kept, span));
    if (kept.length < text.length) {
      const all = `Show all ${count(text.length)} characters`;
      box.append("… ", h("button", { type: "button", class: "more", onclick: () => show(true) }, all));
    }
  };
  show(text.length <= most);
  return box;
}

/**
 * @param {string} text
 * @param {[start: number, end: number] | null} span
 */
function marked(text, span) {
  if (span === null || span[0] >= text.length || span[1] <= span[0]) return visible(text);
  const [start, end] = span;
  return [
    ...visible(text.slice(0, start)),
    h("mark", { title: "what the rule read" }, visible(text.slice(start, end))),
    ...visible(text.slice(end)),
  ];
}

/**
 * Things in a row with commas between them.
 *
 * @param {Child[]} things
 * @returns {Child[]}
 */
export function listed(things) {
  return things.map((thing, place) => [place ? ", " : "", thing]);
}
