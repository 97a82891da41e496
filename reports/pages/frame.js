// What all pages have: a head, links to their parts, and the part that is shown.

import { plural } from "./numbers.js";
import { h } from "./text.js";

/** @import { Child } from "./text.js" */

const MOST_FIXED = 0.25; // of the window's height that links may take which stay while the page scrolls

/**
 * Puts a page together.
 *
 * @param {Node} head
 * @returns {{nav: HTMLElement, main: HTMLElement}} where the links and what is shown belong
 */
export function frame(head) {
  const main = h("main", { id: "main", tabindex: -1 });
  const nav = h("nav", { "aria-label": "Tasks" });
  document.getElementById("page")?.replaceChildren(head, nav, main);
  document.querySelector(".skip")?.addEventListener("click", (event) => {
    event.preventDefault();
    main.focus();
  });
  addEventListener("resize", () => fit(nav));
  return { nav, main };
}

/**
 * Lets links stay in the window if they take little of it, and keeps what is scrolled to from getting under them.
 *
 * @param {HTMLElement} nav
 */
function fit(nav) {
  const fixed = nav.offsetHeight <= MOST_FIXED * innerHeight;
  nav.classList.toggle("fixed", fixed);
  document.documentElement.style.scrollPaddingTop = fixed ? `${nav.offsetHeight}px` : "";
}

/**
 * What stands below a page's title.
 *
 * @param {{by: string, runs: unknown[], tasks: unknown[]}} page
 */
export function about(page) {
  const text = `${page.by} · ${plural(page.runs.length, "run")} · ${plural(page.tasks.length, "task")}`;
  return h("p", { class: "quiet" }, text);
}

/**
 * Links above a page, of which one leads to what is shown. There may be more than fit into a line; all of them are seen.
 *
 * @param {HTMLElement} nav
 * @param {[text: Child, href: string, here: boolean][]} entries
 */
export function drawLinks(nav, entries) {
  const links = entries.map(([text, href, here]) =>
    h("li", {}, h("a", { href, "aria-current": here ? "page" : null }, text)),
  );
  redraw(nav, h("ul", {}, links));
  fit(nav);
}

/**
 * Puts something else into a box; of its links and buttons the one that is being used stays the one that is used.
 *
 * @param {HTMLElement} box
 * @param {Node} content
 */
export function redraw(box, content) {
  const usable = () => [...box.querySelectorAll("a, button")];
  const used = document.activeElement;
  const place = used ? usable().indexOf(used) : -1;
  box.replaceChildren(content);
  const same = usable()[place];
  if (same instanceof HTMLElement) same.focus({ preventScroll: true });
}
