"use strict";
// What is looked at stands behind the # of the address, so that a link leads there again. Each page says in NOTHING what
// there is to be looked at, and how it is at first.

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
