"use strict";
// Elements and text. Whatever is shown comes from outside, so text is only ever set as text.

/** An element with attributes, listeners (functions under on...) and children (nodes or texts; null is left out). */
function h(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** The same for drawings. */
function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, String(value));
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return element;
}

// What a reader cannot see, or what changes the order of what he sees: control characters, marks of direction, characters
// without width, halves of a surrogate pair. Joiners are left alone, since scripts and emoji are written with them.
const UNSEEN =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** Text as nodes in which unseen characters are written out. */
function visible(text) {
  const nodes = [];
  let end = 0;
  for (const found of text.matchAll(UNSEEN)) {
    const code = found[0].charCodeAt(0);
    const name = `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
    nodes.push(text.slice(end, found.index));
    nodes.push(h("span", { class: "unseen", title: name }, code < 32 ? String.fromCharCode(0x2400 + code) : name));
    end = found.index + found[0].length;
  }
  nodes.push(text.slice(end));
  return nodes.filter((node) => node !== "");
}

/** Text from outside within a line: its direction is its own. */
function own(text) {
  return h("bdi", {}, visible(String(text)));
}

/** The beginning of a text, on one line. */
function brief(text, most = 160) {
  const line = text
    .slice(0, 4 * most)
    .replace(/\s+/g, " ")
    .trim();
  return own(line.length > most ? `${cut(line, most)}…` : line);
}

/** The first characters of a text, no pair of surrogates torn. */
function cut(text, most) {
  const half = text.charCodeAt(most - 1);
  return text.slice(0, half >= 0xd800 && half <= 0xdbff ? most - 1 : most);
}

const LONG = 2000; // characters that are shown of a text at first

/** A text of any length with a part of it marked; what is long is cut until it is asked for. */
function block(text, span = null, most = LONG) {
  const box = h("div", { class: "block", dir: "auto" });
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

function marked(text, span) {
  if (span === null || span[0] >= text.length || span[1] <= span[0]) return visible(text);
  const [start, end] = span;
  return [
    ...visible(text.slice(0, start)),
    h("mark", { title: "what the rule read" }, visible(text.slice(start, end))),
    ...visible(text.slice(end)),
  ];
}

function count(number) {
  return number.toLocaleString("en-US");
}

/** A metric's interval, or why it has none. */
function intervalText(metric) {
  if (metric?.interval) return `${fixed(metric.interval[0])} to ${fixed(metric.interval[1])}`;
  return metric?.no_interval ? `none (${metric.no_interval})` : "–";
}

function fixed(number, digits = 2) {
  return number === null || number === undefined ? "–" : number.toFixed(digits);
}

function plural(number, word) {
  return `${count(number)} ${word}${number === 1 ? "" : "s"}`;
}
