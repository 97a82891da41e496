"use strict";
// The leaderboard's frame: filters, what the address asks for.

const NOTHING = { task: "", protocol: "", size: "", text: "", sort: "", down: 0 };

function start() {
  const page = embedded("document");
  const main = h("main", { id: "main", tabindex: -1, "aria-busy": "false" });
  const nav = h("nav", { "aria-label": "Tasks" });
  const form = h("form", { class: "filters", role: "search", onsubmit: (event) => event.preventDefault() });
  const tables = h("div", { class: "boards" });
  const heading = h("h2", {});
  main.append(heading, form, tables, h("p", { class: "quiet" }, notes()));
  document.getElementById("page").replaceChildren(masthead(page), nav, main);

  const show = () => {
    const view = readAddress();
    const task = page.tasks.find((each) => each.label === view.task) ?? null;
    drawNav(nav, page, view, task);
    heading.replaceChildren(task ? own(task.label) : "All tasks");
    drawFilters(form, page, view, task, move);
    const focused = tables.contains(document.activeElement)
      ? [...tables.querySelectorAll("button")].indexOf(document.activeElement)
      : -1;
    const tasks = page.tasks.filter((each) => !view.protocol || protocolOf(each.label) === view.protocol);
    tables.replaceChildren(task ? boardView(page, task, view, sortBy) : matrix(page, tasks, view, sortBy));
    if (focused >= 0) tables.querySelectorAll("button")[focused]?.focus();
  };
  const move = (change) => {
    history.replaceState(null, "", addressOf({ ...readAddress(), ...change }));
    show();
  };
  /** Sorts by a column, or turns it round if it is sorted already. */
  const sortBy = (name, down) => {
    const view = readAddress();
    move({ sort: name, down: view.sort === name ? 1 - view.down : down });
  };
  addEventListener("hashchange", show);
  document.querySelector(".skip").addEventListener("click", (event) => {
    event.preventDefault();
    main.focus();
  });
  show();
}

function masthead(page) {
  const about = `${page.by} · ${plural(page.runs.length, "run")} · ${plural(page.tasks.length, "task")}`;
  return h(
    "header",
    {},
    h("div", {}, h("h1", {}, "Leaderboard of ", own(page.title)), h("p", { class: "quiet" }, about)),
  );
}

function notes() {
  return (
    "A rank is an interval: the ranks that a run has in 95 % of bootstrap resamples of the images. Runs are ranked together if they " +
    "were asked the same questions under the same protocol, and all were answered and scored; filters hide runs but leave ranks as " +
    "they are. Marks in capitals say what weakens a score. Intervals: 95 %, clustered by image."
  );
}

function drawNav(nav, page, view, task) {
  const kept = { ...NOTHING, size: view.size, text: view.text };
  const entries = [["All tasks", addressOf(kept), task === null]];
  for (const each of page.tasks)
    entries.push([own(each.label), addressOf({ ...kept, task: each.label }), each === task]);
  drawLinks(nav, entries);
}

function drawFilters(form, page, view, task, move) {
  const select = (name, label, options) => {
    const field = h("select", { name, onchange: () => move({ [name]: field.value }) });
    for (const [value, text] of options) field.append(h("option", { value, selected: value === view[name] }, text));
    return h("label", {}, h("span", {}, label), field);
  };
  const sizes = SIZES.filter(([name, , fits]) => name === view.size || page.runs.some((run) => fits(run.size)));
  const protocols = [...new Set(page.tasks.map((each) => protocolOf(each.label)))].sort();
  const text = h("input", { type: "search", name: "text", value: view.text, autocomplete: "off", spellcheck: "false" });
  text.addEventListener("input", () => move({ text: text.value }));
  const focused = form.contains(document.activeElement) ? document.activeElement.name : null;
  const caret = focused === "text" ? document.activeElement.selectionStart : null;
  form.replaceChildren(
    select("size", "Size", [["", "All"], ...sizes.map(([name, label]) => [name, label])]),
    ...(task ? [] : [select("protocol", "Protocol", [["", "All"], ...protocols.map((name) => [name, name])])]),
    h("label", { class: "grows" }, h("span", {}, "Run"), text),
  );
  if (focused) form.elements[focused]?.focus();
  if (caret !== null) form.elements.text.setSelectionRange(caret, caret);
}

start();
