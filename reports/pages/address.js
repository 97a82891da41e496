"use strict";
// What is looked at stands behind the # of the address, so that a link leads there again.

const NOTHING = { task: "", run: 0, baseline: -1, state: "", change: "", category: "", text: "", sample: "" };

function readAddress() {
  const given = new URLSearchParams(location.hash.slice(1));
  const found = { ...NOTHING };
  for (const [name, value] of Object.entries(NOTHING)) {
    if (!given.has(name)) continue;
    const text = given.get(name);
    if (typeof value === "string") found[name] = text;
    else if (/^\d{1,9}$/.test(text)) found[name] = Number(text);
  }
  return found;
}

/** The part of the address that stands for `view`; what is as at first is left out. */
function addressOf(view) {
  const changed = Object.entries(view).filter(([name, value]) => value !== NOTHING[name]);
  return `#${new URLSearchParams(changed)}`;
}
