"use strict";
// The page: its frame, what the address asks for, and the keys.

const NOTHING = { task: "", run: 0, baseline: -1, state: "", change: "", category: "", text: "", sample: "" };

const KEYS = [
  ["j", "next question"],
  ["k", "previous question"],
  ["n", "next page"],
  ["p", "previous page"],
  ["/", "search"],
  ["x", "clear the filters"],
  ["s", "all scores"],
  ["?", "these keys"],
  ["Esc", "leave a field"],
];

function start() {
  const page = embedded("document");
  const source = page.served ? servedSource() : embeddedSource(page.tasks, page.imagePiece);
  const main = h("main", { id: "main", tabindex: -1, "aria-busy": "true" });
  const nav = h("nav", { "aria-label": "Tasks" });
  document.getElementById("page").replaceChildren(masthead(page), nav, main);
  const state = { task: null, browser: null };

  let turns = 0;
  /** Shows what an address asks for; busy until the last that was asked for is there. */
  const show = async (view) => {
    turns += 1;
    const turn = turns;
    main.setAttribute("aria-busy", "true");
    try {
      await draw(view);
    } catch (error) {
      main.prepend(h("p", { role: "alert", class: "note" }, `This cannot be shown: ${error.message}`));
    }
    if (turn === turns) main.setAttribute("aria-busy", "false");
  };

  const draw = (view) => {
    const number = page.tasks.findIndex((task) => task.label === view.task);
    drawNav(nav, page, number);
    if (number < 0) {
      state.browser = null;
      main.replaceChildren(...summaryView(page).flat().filter(Boolean));
    } else if (state.task !== number || state.browser === null) {
      drawTask(number);
    }
    const entered = state.task !== number;
    state.task = number;
    const shown = state.browser?.show(checked(page, number, view));
    if (entered) scrollTo(0, 0);
    if (entered && state.browser && view.sample !== "") state.browser.element.scrollIntoView();
    return shown;
  };

  const drawTask = (number) => {
    const task = page.tasks[number];
    const big = page.leftOut.includes(task.label);
    state.browser = big ? null : new Browser(page, source, number, move);
    main.replaceChildren(...taskNumbers(page, task), big ? tooBig(task) : state.browser.element);
  };

  const move = (change) => {
    const view = { ...state.browser.view, ...change };
    history.replaceState(null, "", addressOf(view));
    return show(view);
  };

  addEventListener("hashchange", () => show(readAddress()));
  addEventListener("keydown", (event) => press(event, state));
  document.querySelector(".skip").addEventListener("click", (event) => {
    event.preventDefault();
    main.focus();
  });
  show(readAddress()).then(() => performance.mark("shown"));
}

/** What an address asks for, with runs that the task has. */
function checked(page, number, view) {
  const states = page.tasks[number].states;
  const first = states.findIndex((column) => column !== null);
  const run = states[view.run] ? view.run : first;
  const baseline = states[view.baseline] && view.baseline !== run ? view.baseline : -1;
  return { ...view, task: page.tasks[number].label, run, baseline };
}

function masthead(page) {
  const names = page.runs.map((run, place) => [place ? ", " : "", own(run.name)]);
  const about = `${page.by} · ${plural(page.runs.length, "run")} · ${plural(page.tasks.length, "task")}`;
  const keys = h("button", { type: "button", onclick: showKeys }, "Keys ", h("kbd", {}, "?"));
  return h("header", {}, h("div", {}, h("h1", {}, names), h("p", { class: "quiet" }, about)), keys);
}

function drawNav(nav, page, number) {
  const tasks = page.tasks.map((task, place) => [
    own(task.label),
    addressOf({ ...NOTHING, task: task.label }),
    place === number,
  ]);
  drawLinks(nav, [["Scores", "#", number < 0], ...tasks]);
}

function tooBig(task) {
  const told = `${plural(task.count, "question")} are more than this page holds. `;
  return h(
    "section",
    {},
    h("h2", {}, "Questions"),
    h("p", {}, told, h("code", {}, "mipha-eval view --serve RUN"), " shows them."),
  );
}

function showKeys() {
  const rows = KEYS.map(([key, what]) => h("div", {}, h("dt", {}, h("kbd", {}, key)), h("dd", {}, what)));
  const close = h("form", { method: "dialog" }, h("button", {}, "Close"));
  const dialog = h("dialog", { "aria-label": "Keys" }, h("h2", {}, "Keys"), h("dl", { class: "keys" }, rows), close);
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

function press(event, state) {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  const field = event.target.closest?.("input, select, textarea");
  if (event.key === "Escape") field?.blur();
  if (field) return;
  const { browser } = state;
  const acts = {
    j: () => browser?.step(1),
    k: () => browser?.step(-1),
    n: () => browser?.turnPage(1),
    p: () => browser?.turnPage(-1),
    "/": () => browser?.search(),
    x: () => browser?.clear(),
    s: () => (location.hash = ""),
    "?": showKeys,
  };
  if (!Object.hasOwn(acts, event.key)) return;
  event.preventDefault();
  acts[event.key]();
}

start();
