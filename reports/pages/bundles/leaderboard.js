"use strict";
(() => {
  // numbers.js
  function count(number) {
    return number.toLocaleString("en-US");
  }
  function fixed(number, digits = 2) {
    return number === null || number === void 0 ? "–" : number.toFixed(digits);
  }
  function plural(number, word) {
    return `${count(number)} ${word}${number === 1 ? "" : "s"}`;
  }
  function intervalText(metric) {
    if (metric?.interval) return `${fixed(metric.interval[0])} to ${fixed(metric.interval[1])}`;
    return metric?.no_interval ? `none (${metric.no_interval})` : "–";
  }

  // sizes.js
  var SIZES = [
    { name: "1", label: "up to 1 B", over: 0, most: 1 },
    { name: "4", label: "1 to 4 B", over: 1, most: 4 },
    { name: "10", label: "4 to 10 B", over: 4, most: 10 },
    { name: "more", label: "over 10 B", over: 10, most: Number.POSITIVE_INFINITY },
    { name: "unknown", label: "unknown", over: null, most: null }
  ];
  function isOfSize(size, { over, most }) {
    if (size === null || over === null || most === null) return size === over;
    return size > over && size <= most;
  }
  function sizeText(size) {
    if (size === null) return "–";
    return size >= 1 ? `${Number(size.toPrecision(3))} B` : `${Number((1e3 * size).toPrecision(3))} M`;
  }

  // text.js
  function h(tag, attributes = {}, ...children) {
    return fill(document.createElement(tag), attributes, children);
  }
  function fill(element, attributes, children) {
    for (const [name, value] of Object.entries(attributes)) {
      if (typeof value === "function") element.addEventListener(name.slice(2), value);
      else if (value === true) element.setAttribute(name, "");
      else if (value !== false && value !== null && value !== void 0) element.setAttribute(name, String(value));
    }
    element.append(...nodes(children));
    return element;
  }
  function nodes(children) {
    return children.flatMap((child) => {
      if (Array.isArray(child)) return nodes(child);
      return child === null || child === void 0 ? [] : [child];
    });
  }
  var UNSEEN = (
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g
  );
  function visible(text) {
    const parts = [];
    let end = 0;
    for (const found of text.matchAll(UNSEEN)) {
      const code = found[0].charCodeAt(0);
      const name = `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
      parts.push(text.slice(end, found.index));
      parts.push(h("span", { class: "unseen", title: name }, code < 32 ? String.fromCharCode(9216 + code) : name));
      end = found.index + found[0].length;
    }
    parts.push(text.slice(end));
    return parts.filter((part) => part !== "");
  }
  function own(text) {
    return h("bdi", {}, visible(String(text)));
  }

  // tables.js
  function tableOf(caption, heads, groups, kind = null) {
    const head = h(
      "tr",
      {},
      heads.map((text) => text instanceof Node ? text : h("th", { scope: "col", class: numberClass(text) }, text))
    );
    const bodies = groups.map((rows) => h("tbody", { class: kind }, rows));
    return scrolling(caption, h("table", {}, h("caption", {}, own(caption)), h("thead", {}, head), bodies));
  }
  var NUMBERS = /* @__PURE__ */ new Set(["n", "95 % CI", "Unparsed", "Failed", "Seconds", "Samples/s", "Value"]);
  function numberClass(head) {
    return NUMBERS.has(head) || head.length === 1 ? "number" : null;
  }
  function scrolling(label, content) {
    return h("div", { class: "scrolling", tabindex: 0, role: "region", "aria-label": label }, content);
  }
  function tags(marks) {
    return marks.flatMap((mark) => [" ", h("span", { class: "tag" }, own(mark))]);
  }

  // board.js
  function matrix(asked, tasks) {
    const { page, runs, view } = asked;
    const by = tasks.find((task) => task.label === view.sort);
    const value = (run) => {
      if (view.sort === "name") return page.runs[run].name;
      if (view.sort === "size") return page.runs[run].size;
      return by?.entries[run]?.value ?? null;
    };
    const behind = (run) => by?.entries[run] ? setBack(by, by.entries[run]) : false;
    const sorted = inOrder(runs, value, view.down !== "");
    const order = [...sorted.filter((run) => !behind(run)), ...sorted.filter(behind)];
    const heads = [
      sortHead(asked, { name: "name", label: "Run" }, view.sort),
      sortHead(asked, { name: "size", label: "Size", number: true }, view.sort),
      ...tasks.map(({ label }) => sortHead(asked, { name: label, label, down: true }, view.sort))
    ];
    const rows = order.map((run) => {
      const cells = tasks.map((task) => h("td", {}, task.entries[run] ? shortCell(task, task.entries[run]) : "–"));
      return h(
        "tr",
        {},
        h("th", { scope: "row" }, runLink(page, run)),
        h("td", { class: "number" }, sizeText(page.runs[run].size)),
        cells
      );
    });
    const caption = `${plural(order.length, "run")} on ${plural(tasks.length, "task")}; rank intervals in brackets`;
    return tableOf(caption, heads, [rows], "many");
  }
  function boardView(asked, task) {
    const { page, view } = asked;
    const runs = asked.runs.filter((run) => task.entries[run]);
    const sorted = COLUMNS.some(({ name }) => name === view.sort) ? view.sort : "rank";
    const heads = COLUMNS.map((column) => sortHead(asked, column, sorted));
    const order = (group) => {
      const best = inOrder(group, (run) => task.entries[run].value, true);
      return inOrder(best, (run) => sortValue(page, task, run, sorted), view.down !== "");
    };
    const groups = task.groups.map((group, number) => ({
      title: groupTitle(group),
      members: order(runs.filter((run) => task.entries[run].group === number))
    }));
    const unranked = { title: "Not ranked", members: runs.filter((run) => task.entries[run].group === void 0) };
    const bodies = [...groups, unranked].filter(({ members }) => members.length > 0).map(({ title, members }) => [
      h("tr", { class: "group" }, h("th", { scope: "rowgroup", colspan: COLUMNS.length }, title)),
      ...members.map((run) => boardRow(page, task, run))
    ]);
    return tableOf(`${task.label}: ${plural(runs.length, "run")}`, heads, bodies);
  }
  var COLUMNS = [
    { name: "rank", label: "Rank" },
    { name: "name", label: "Run" },
    { name: "size", label: "Size", number: true },
    { name: "value", label: "Score", down: true },
    { label: "95 % CI" },
    { label: "n" },
    { name: "started", label: "Date", down: true }
  ];
  function sortValue(page, task, run, column) {
    const entry = task.entries[run];
    if (column === "name") return page.runs[run].name;
    if (column === "size") return page.runs[run].size;
    if (column === "value") return entry.value;
    if (column === "started") return startOf(page, run);
    return entry.rank?.[0] ?? null;
  }
  function sortHead({ view, sortBy }, { name, label, down = false, number = false }, sorted) {
    if (name === void 0) return label;
    const direction = name !== sorted ? "none" : view.down ? "descending" : "ascending";
    const arrow = { none: "", descending: " ▼", ascending: " ▲" }[direction];
    const button = h(
      "button",
      { type: "button", class: "link sort", onclick: () => sortBy(name, down) },
      own(label),
      h("span", { "aria-hidden": "true" }, arrow)
    );
    return h("th", { scope: "col", class: number ? "number" : null, "aria-sort": direction }, button);
  }
  function inOrder(runs, value, descending) {
    const valued = runs.map((run) => ({ run, value: value(run) }));
    const known = valued.filter((each) => each.value !== null);
    const unknown = valued.filter((each) => each.value === null);
    known.sort((one, other) => compare(one.value, other.value) * (descending ? -1 : 1) || one.run - other.run);
    return [...known, ...unknown].map((each) => each.run);
  }
  function compare(one, other) {
    if (typeof one === "string" && typeof other === "string") return one.localeCompare(other);
    return Number(one) - Number(other);
  }
  function setBack(task, entry) {
    return entry.group === void 0 || task.groups[entry.group].special;
  }
  function shortCell(task, entry) {
    const rank = entry.rank ? h("span", { class: "quiet" }, ` (${rankText(entry)})`) : null;
    return h(
      "span",
      { class: setBack(task, entry) ? "set-back" : null, title: entry.why || null },
      own(entry.score),
      rank,
      tags(entry.shortMarks)
    );
  }
  function rankText(entry) {
    if (!entry.rank) return "";
    const [first, last] = entry.rank;
    return first === last ? String(first) : `${first}–${last}`;
  }
  function groupTitle(group) {
    const asked = plural(group.questions, "question");
    if (group.runs < 2) return `Alone under its conditions: ${asked}`;
    return `Ranked together: ${group.runs} runs on the same ${asked}`;
  }
  function runLink(page, run) {
    return h("a", { href: page.runs[run].page }, own(page.runs[run].name));
  }
  function startOf(page, run) {
    return page.runs[run].made.find(([name]) => name === "started")?.[1] ?? "";
  }
  function boardRow(page, task, run) {
    const entry = task.entries[run];
    const cells = [
      h("th", { scope: "row" }, rankText(entry) || "–"),
      h("td", {}, runLink(page, run)),
      h("td", { class: "number" }, sizeText(page.runs[run].size)),
      h(
        "td",
        {},
        own(entry.metric),
        " ",
        h("b", {}, own(entry.score)),
        tags(entry.marks),
        entry.why ? h("div", { class: "quiet" }, own(entry.why)) : null
      ),
      h("td", { class: "number" }, intervalText(entry)),
      h("td", { class: "number" }, count(entry.n)),
      h("td", { class: "nowrap" }, own(startOf(page, run).slice(0, 10)))
    ];
    return h("tr", {}, cells);
  }

  // address.js
  var Address = class {
    /** @param {View} first what is looked at where an address says nothing; its names are all that an address may have */
    constructor(first) {
      this.first = first;
    }
    /** @returns {View} what the page's address asks for */
    read() {
      const given = new URLSearchParams(location.hash.slice(1));
      const names = Object.keys(this.first);
      const found = names.filter((name) => given.has(name)).map((name) => [name, given.get(name)]);
      return { ...this.first, ...Object.fromEntries(found) };
    }
    /**
     * The part of an address that stands for a view; what is as at first is left out.
     *
     * @param {Partial<View>} view
     */
    of(view) {
      const changed = Object.entries(view).filter(([name, value]) => value !== this.first[name]);
      return `#${new URLSearchParams(changed)}`;
    }
  };

  // board_address.js
  var address = new Address({ task: "", protocol: "", size: "", text: "", sort: "", down: "" });

  // filters.js
  function filterForm() {
    return h("form", { class: "filters", role: "search", onsubmit: (event) => event.preventDefault() });
  }
  function drawFields(form, fields2) {
    const used = form.contains(document.activeElement) ? document.activeElement : null;
    const name = used?.getAttribute("name");
    const caret = used instanceof HTMLInputElement ? used.selectionStart : null;
    form.replaceChildren(...fields2);
    const field = name ? form.elements.namedItem(name) : null;
    if (field instanceof HTMLElement) field.focus();
    if (field instanceof HTMLInputElement && caret !== null) field.setSelectionRange(caret, caret);
  }
  function selectField(name, label, options, chosen, choose) {
    const select = h("select", { name, onchange: () => choose(select.value) });
    select.append(...options.map(([value, text]) => h("option", { value, selected: value === chosen }, text)));
    return h("label", {}, h("span", {}, label), select);
  }
  function searchField(label, value, search) {
    const input = h("input", {
      type: "search",
      name: "text",
      value,
      autocomplete: "off",
      spellcheck: "false",
      oninput: () => search(input.value)
    });
    return h("label", { class: "grows" }, h("span", {}, label), input);
  }

  // frame.js
  var MOST_FIXED = 0.25;
  function frame(head) {
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
  function fit(nav) {
    const fixed2 = nav.offsetHeight <= MOST_FIXED * innerHeight;
    nav.classList.toggle("fixed", fixed2);
    document.documentElement.style.scrollPaddingTop = fixed2 ? `${nav.offsetHeight}px` : "";
  }
  function about(page) {
    const text = `${page.by} · ${plural(page.runs.length, "run")} · ${plural(page.tasks.length, "task")}`;
    return h("p", { class: "quiet" }, text);
  }
  function drawLinks(nav, entries) {
    const links2 = entries.map(
      ([text, href, here]) => h("li", {}, h("a", { href, "aria-current": here ? "page" : null }, text))
    );
    redraw(nav, h("ul", {}, links2));
    fit(nav);
  }
  function redraw(box, content) {
    const usable = () => [...box.querySelectorAll("a, button")];
    const used = document.activeElement;
    const place = used ? usable().indexOf(used) : -1;
    box.replaceChildren(content);
    const same = usable()[place];
    if (same instanceof HTMLElement) same.focus({ preventScroll: true });
  }

  // source.js
  function embedded(id) {
    const element = document.getElementById(id);
    if (element === null) return null;
    const value = JSON.parse(element.textContent);
    element.remove();
    return value;
  }

  // leaderboard.js
  var NOTES = "A rank is an interval: the ranks that a run has in 95 % of bootstrap resamples of the images. Runs are ranked together if they were asked the same questions under the same protocol, and all were answered and scored; filters hide runs but leave ranks as they are. Marks in capitals say what weakens a score. Intervals: 95 %, clustered by image.";
  function start(page) {
    const title = h("h1", {}, "Leaderboard of ", own(page.title));
    const { nav, main } = frame(h("header", {}, h("div", {}, title, about(page))));
    const form = filterForm();
    const tables = h("div", { class: "boards" });
    const heading = h("h2", {});
    main.append(heading, form, tables, h("p", { class: "quiet" }, NOTES));
    main.setAttribute("aria-busy", "false");
    const show = () => {
      const view = address.read();
      const task = page.tasks.find((each) => each.label === view.task) ?? null;
      drawLinks(nav, links(page, view, task));
      heading.replaceChildren(task ? own(task.label) : "All tasks");
      drawFields(form, fields(page, view, task, move));
      const asked = { page, runs: chosenRuns(page, view), view, sortBy };
      const tasks = page.tasks.filter((each) => !view.protocol || protocolOf(each) === view.protocol);
      redraw(tables, task ? boardView(asked, task) : matrix(asked, tasks));
    };
    const move = (change) => {
      history.replaceState(null, "", address.of({ ...address.read(), ...change }));
      show();
    };
    const sortBy = (name, down) => {
      const view = address.read();
      const descending = view.sort === name ? view.down === "" : down;
      move({ sort: name, down: descending ? "1" : "" });
    };
    addEventListener("hashchange", show);
    show();
  }
  function protocolOf({ label }) {
    return label.slice(label.indexOf("@") + 1);
  }
  function chosenRuns(page, view) {
    const size = SIZES.find(({ name }) => name === view.size);
    const wanted = view.text.toLowerCase();
    return page.runs.flatMap((run, number) => {
      const fits = size === void 0 || isOfSize(run.size, size);
      return fits && run.name.toLowerCase().includes(wanted) ? [number] : [];
    });
  }
  function links(page, { size, text }, shown) {
    return [
      ["All tasks", address.of({ size, text }), shown === null],
      ...page.tasks.map(
        (task) => (
          /** @type {[Child, string, boolean]} */
          [
            own(task.label),
            address.of({ size, text, task: task.label }),
            task === shown
          ]
        )
      )
    ];
  }
  function fields(page, view, task, move) {
    const sizes = SIZES.filter((size) => size.name === view.size || page.runs.some((run) => isOfSize(run.size, size)));
    const protocols = [...new Set(page.tasks.map(protocolOf))].sort();
    const select = (name, label, options) => selectField(name, label, [["", "All"], ...options], view[name], (value) => move({ [name]: value }));
    return [
      select(
        "size",
        "Size",
        sizes.map(({ name, label }) => [name, label])
      ),
      ...task ? [] : [
        select(
          "protocol",
          "Protocol",
          protocols.map((name) => [name, name])
        )
      ],
      searchField("Run", view.text, (text) => move({ text }))
    ];
  }
  start(embedded("document"));
})();
