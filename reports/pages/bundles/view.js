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

  // text.js
  function h(tag, attributes = {}, ...children) {
    return fill(document.createElement(tag), attributes, children);
  }
  function svg(tag, attributes = {}, ...children) {
    return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
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
  function brief(text, most = 160) {
    const line = text.slice(0, 4 * most).replace(/\s+/g, " ").trim();
    return own(line.length > most ? `${cut(line, most)}…` : line);
  }
  function cut(text, most) {
    const half = text.charCodeAt(most - 1);
    return text.slice(0, half >= 55296 && half <= 56319 ? most - 1 : most);
  }
  var LONG = 2e3;
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
      ...visible(text.slice(end))
    ];
  }
  function listed(things) {
    return things.map((thing, place) => [place ? ", " : "", thing]);
  }

  // filters.js
  function filterForm() {
    return h("form", { class: "filters", role: "search", onsubmit: (event) => event.preventDefault() });
  }
  function drawFields(form, fields) {
    const used = form.contains(document.activeElement) ? document.activeElement : null;
    const name = used?.getAttribute("name");
    const caret = used instanceof HTMLInputElement ? used.selectionStart : null;
    form.replaceChildren(...fields);
    const field = name ? form.elements.namedItem(name) : null;
    if (field instanceof HTMLElement) field.focus();
    if (field instanceof HTMLInputElement && caret !== null) field.setSelectionRange(caret, caret);
  }
  function selectField(name, label, options, chosen, choose) {
    const select2 = h("select", { name, onchange: () => choose(select2.value) });
    select2.append(...options.map(([value, text]) => h("option", { value, selected: value === chosen }, text)));
    return h("label", {}, h("span", {}, label), select2);
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

  // outcomes.js
  var MEANINGS = {
    R: { symbol: "✓", word: "right" },
    P: { symbol: "◐", word: "partly right" },
    W: { symbol: "✗", word: "wrong" },
    F: { symbol: "!", word: "failed" },
    M: { symbol: "–", word: "no answer" },
    U: { symbol: "·", word: "labels not public" },
    J: { symbol: "?", word: "not judged" },
    "-": { symbol: " ", word: "not asked" }
  };
  var OUTCOMES = [
    { name: "right", label: "Right", letters: "Rr" },
    { name: "partly", label: "Partly right", letters: "Pp" },
    { name: "wrong", label: "Wrong", letters: "Ww" },
    { name: "unparsed", label: "Unparsed", letters: "rpw" },
    { name: "failed", label: "Failed", letters: "F" },
    { name: "missing", label: "No answer", letters: "M" },
    { name: "unlabelled", label: "Labels not public", letters: "U" },
    { name: "unjudged", label: "Not judged", letters: "J" }
  ];
  var CHANGES = [
    { name: "gained", label: "Gained", sign: 1 },
    { name: "lost", label: "Lost", sign: -1 },
    { name: "same", label: "The same", sign: 0 }
  ];
  function stateOf(task, run, place) {
    return task.states[run]?.[place] ?? "-";
  }
  function isPartly(state) {
    return state.toUpperCase() === "P";
  }
  function isMissing(state) {
    return state.toUpperCase() === "M";
  }
  function worth(task, run, place) {
    const state = stateOf(task, run, place).toUpperCase();
    if (state === "R") return 1;
    if (state === "W") return 0;
    return state === "P" ? task.values[run]?.[place] ?? null : null;
  }
  function changeOf(task, run, baseline, place) {
    const value = worth(task, run, place);
    const before = worth(task, baseline, place);
    if (value === null || before === null) return null;
    const sign2 = Math.sign(value - before);
    return CHANGES.find((change) => change.sign === sign2)?.name ?? null;
  }
  function inWords(state) {
    const { symbol, word } = MEANINGS[state.toUpperCase()];
    const unparsed = state !== state.toUpperCase();
    return { symbol, unparsed, style: `state-${word.split(" ")[0]}`, words: unparsed ? `${word}, unparsed` : word };
  }
  function sign(state) {
    const { symbol, unparsed, style, words } = inWords(state);
    return h(
      "span",
      { class: `sign ${style}${unparsed ? " unparsed" : ""}`, title: words },
      h("span", { "aria-hidden": "true" }, symbol),
      h("span", { class: "hidden" }, words)
    );
  }
  function stateTag(state) {
    const { style, words } = inWords(state);
    return h("span", { class: `tag ${style}` }, words);
  }

  // plots.js
  var DASHES = ["", "6 3", "2 3", "8 3 2 3", "1 4"];
  var COLOURS = 6;
  function letter(run) {
    return String.fromCharCode(65 + run % 26);
  }
  function series(run) {
    return `run-${run % COLOURS}`;
  }
  function badge(run) {
    return h("span", { class: `badge ${series(run)}`, "aria-hidden": "true" }, letter(run));
  }
  function legend(runs) {
    return h(
      "ul",
      { class: "legend" },
      runs.map((run, place) => h("li", {}, badge(place), " ", own(run.name)))
    );
  }
  function figure(caption, width, height, marks, note = null) {
    const drawing = svg(
      "svg",
      { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": caption, class: "plot" },
      marks
    );
    drawing.style.maxWidth = `${width}px`;
    return h("figure", {}, drawing, h("figcaption", {}, h("b", {}, own(caption)), note && [" ", note]));
  }
  function radar(caption, axes, runs, note) {
    const width = Math.min(560, document.documentElement.clientWidth - 24);
    const [height, radius] = [0.72 * width, Math.min(0.25 * width, width / 2 - 100)];
    const at = (axis, share2) => {
      const angle = 2 * Math.PI * axis / axes.length - Math.PI / 2;
      return [width / 2 + radius * share2 * Math.cos(angle), height / 2 + radius * share2 * Math.sin(angle)];
    };
    const points = (share2) => axes.map(
      (_, axis) => at(axis, share2).map((value) => value.toFixed(1)).join()
    ).join(" ");
    const rings = [0.25, 0.5, 0.75, 1].map((share2) => svg("polygon", { points: points(share2), class: "grid" }));
    const spokes = axes.map((_, axis) => {
      const [x, y] = at(axis, 1);
      return svg("line", { x1: width / 2, y1: height / 2, x2: x, y2: y, class: "grid" });
    });
    const labels = axes.map((text, axis) => {
      const [x, y] = at(axis, 1.1);
      const side = Math.abs(x - width / 2) < 20 ? "middle" : x > width / 2 ? "start" : "end";
      return svg(
        "text",
        { x, y, "text-anchor": side, "dominant-baseline": "middle" },
        text.length > 22 ? `${cut(text, 21)}…` : text
      );
    });
    const shapes = runs.map((shares, run) => {
      const corners = shares.map((share2, axis) => share2 === null ? null : at(axis, Math.max(0, Math.min(1, share2))));
      const dots = corners.filter((corner) => corner !== null).map(([x, y]) => svg("circle", { cx: x.toFixed(1), cy: y.toFixed(1), r: 2.5, class: "dot" }));
      const line = svg("path", { d: outline(corners), class: "shape", "stroke-dasharray": DASHES[run % DASHES.length] });
      return svg("g", { class: series(run) }, line, dots);
    });
    return figure(caption, width, height, [...rings, ...spokes, ...labels, ...shapes], note);
  }
  function outline(corners) {
    if (corners.length === 0) return "";
    const text = ([x, y]) => `${x.toFixed(1)} ${y.toFixed(1)}`;
    const there = corners.filter((corner) => corner !== null);
    if (there.length === corners.length) return `M${there.map(text).join("L")}Z`;
    return corners.map((from, place) => {
      const to = corners[(place + 1) % corners.length];
      return from === null || to === null ? "" : `M${text(from)}L${text(to)}`;
    }).join("");
  }
  function bars(label, values, most) {
    const [width, step] = [220, 11];
    const height = values.length * step + 2;
    const place = (value) => Math.max(0, Math.min(1, value / most)) * (width - 2) + 1;
    const marks = values.map((metric, run) => {
      if (metric === null || metric.value === null) return null;
      const y = run * step + 2;
      const parts = [
        svg("rect", {
          x: 1,
          y,
          width: Math.max(0.5, place(metric.value) - 1).toFixed(1),
          height: step - 3,
          class: "bar"
        })
      ];
      if (metric.interval) {
        const [low, high] = metric.interval.map((value) => place(value).toFixed(1));
        const middle = y + (step - 3) / 2;
        parts.push(
          svg("path", {
            d: `M${low} ${y + 1}V${y + step - 4}M${low} ${middle}H${high}M${high} ${y + 1}V${y + step - 4}`,
            class: "whisker"
          })
        );
      }
      return svg("g", { class: series(run) }, parts);
    });
    const frame2 = svg("rect", { x: 0.5, y: 0.5, width: width - 1, height: height - 1, class: "frame" });
    return svg(
      "svg",
      { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": label, class: "bars" },
      frame2,
      marks
    );
  }
  function calibration(found, run, name) {
    const [size, edge, rest] = [250, 36, 16];
    const x = (share2) => edge + share2 * (size - edge - rest);
    const y = (share2) => size - edge - share2 * (size - edge - rest);
    const ticks = [0, 0.5, 1].flatMap((share2) => [
      svg("line", { x1: x(share2), y1: y(0), x2: x(share2), y2: y(1), class: "grid" }),
      svg("line", { x1: x(0), y1: y(share2), x2: x(1), y2: y(share2), class: "grid" }),
      svg("text", { x: x(share2), y: size - edge + 14, "text-anchor": "middle" }, String(100 * share2)),
      svg("text", { x: edge - 5, y: y(share2), "text-anchor": "end", "dominant-baseline": "middle" }, String(100 * share2))
    ]);
    const diagonal = svg("line", { x1: x(0), y1: y(0), x2: x(1), y2: y(1), class: "diagonal" });
    const dots = found.bins.map(([number, confidence, accuracy]) => {
      const told = `${plural(number, "question")}: confidence ${fixed(100 * confidence, 1)} %, right ${fixed(100 * accuracy, 1)} %`;
      const r = (2 + 10 * Math.sqrt(number / found.n)).toFixed(1);
      return svg(
        "circle",
        { cx: x(confidence).toFixed(1), cy: y(accuracy).toFixed(1), r, class: "bubble" },
        svg("title", {}, told)
      );
    });
    const axes = [
      svg("text", { x: x(0.5), y: size - 4, "text-anchor": "middle" }, "confidence, %"),
      svg("text", { x: 9, y: y(0.5), "text-anchor": "middle", transform: `rotate(-90 9 ${y(0.5)})` }, "right, %")
    ];
    const area = found.auc === null ? "" : `AUC ${fixed(found.auc)}, `;
    const numbers = `${area}calibration error ${fixed(found.calibration_error)}, Brier ${fixed(found.brier, 3)}, n ${count(found.n)}.`;
    const marks = [...ticks, diagonal, svg("g", { class: series(run) }, dots), ...axes];
    return figure(`Calibration of ${name}`, size, size, marks, numbers);
  }

  // tables.js
  function table(caption, heads, rows) {
    const body = rows.map(([first, ...rest]) => h("tr", {}, h("th", { scope: "row" }, first), rest.map(dataCell)));
    return tableOf(caption, heads, [body]);
  }
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
  function dataCell(cell) {
    return h("td", { class: typeof cell === "string" && /^[\d.,–-]/.test(cell) ? "number" : null }, cell);
  }
  function scrolling(label, content) {
    return h("div", { class: "scrolling", tabindex: 0, role: "region", "aria-label": label }, content);
  }
  function tags(marks) {
    return marks.flatMap((mark) => [" ", h("span", { class: "tag" }, own(mark))]);
  }
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
        () => told.replaceChildren("Selected; copy it with the keyboard.")
      );
    };
    dialog.addEventListener("close", () => dialog.remove());
    return h("button", { type: "button", onclick: show }, label);
  }

  // sample.js
  function sampleView(asked, source, go) {
    const { row } = asked;
    return [
      h(
        "div",
        { class: "pictures" },
        row.images.map((image) => picture(source, image))
      ),
      row.images.length ? null : h("p", { class: "quiet" }, "A question without a picture."),
      h("h4", {}, "Question"),
      block(row.prompt),
      h("h4", {}, "References"),
      accepted(row),
      row.categories.length ? h("p", { class: "quiet" }, "Counts in ", listed(row.categories.map(own))) : null,
      row.together.length ? together(row, go) : null,
      row.answers.map((answer, run) => answer === null ? null : answerView(asked, answer, run))
    ];
  }
  function picture(source, [number, name]) {
    const image = h("img", { alt: `Picture ${name}`, class: "picture" });
    const told = h("figcaption", { class: "quiet" }, own(name));
    const missing = () => image.replaceWith(h("p", { class: "missing" }, "This picture is not there."));
    image.addEventListener("error", missing, { once: true });
    source.thumbnail(number).then((address2) => address2 === null ? missing() : image.setAttribute("src", address2));
    const whole = source.whole(number);
    const shown = whole === null ? image : h("a", { href: whole, target: "_blank", rel: "noreferrer" }, image);
    return h("figure", {}, shown, told);
  }
  function accepted(row) {
    if (row.choices.length > 0) return choices(row);
    if (row.target.length === 0) return h("p", { class: "quiet" }, "None: the labels are not public.");
    return answers(row.target);
  }
  function choices(row) {
    const entries = row.choices.map((text, place) => {
      const name = String.fromCharCode(65 + place);
      const right = row.target.includes(name);
      return text === "" ? null : h("li", { class: right ? "right" : null }, `${name}. `, own(text), right ? " (right)" : "");
    });
    return h("ul", { class: "options" }, entries);
  }
  function answers(texts) {
    const numbers = /* @__PURE__ */ new Map();
    for (const text of texts) numbers.set(text, (numbers.get(text) ?? 0) + 1);
    const entries = [...numbers].map(
      ([text, number]) => h("li", {}, block(text), number > 1 ? h("span", { class: "quiet" }, ` × ${number}`) : null)
    );
    return h("ul", { class: "references" }, entries);
  }
  function together(row, go) {
    const links = row.together.map(
      (place) => h("button", { type: "button", class: "link", onclick: () => go(place) }, `question ${count(place + 1)}`)
    );
    return h("p", { class: "quiet" }, "Scored together with ", listed(links));
  }
  function answerView({ page: page2, task, place }, answer, run) {
    const state = stateOf(task, run, place);
    const { name } = page2.runs[run];
    return h(
      "section",
      { class: `answer ${series(run)}`, "aria-label": `Answer of ${name}` },
      h("h4", {}, badge(run), " ", own(name), " ", stateTag(state), isPartly(state) ? ` ${fixed(answer.value)}` : ""),
      answerText(answer, state),
      answer.rule ? reading(answer, answer.rule) : null,
      answer.cut ? h("p", { class: "note" }, "Cut off at the most tokens that an answer may have.") : null,
      answer.served ? h("p", { class: "quiet" }, "Server: ", own(answer.served)) : null,
      answer.probabilities ? probabilities(answer.probabilities) : null,
      answer.opinion ? opinion(answer.opinion) : null,
      (answer.verdicts ?? []).map(verdict),
      answer.reference ? madeAgain(answer.reference) : null,
      answer.details ? details(answer.details) : null
    );
  }
  function answerText(answer, state) {
    if (answer.error) return h("div", { class: "note" }, "Failed: ", block(answer.error));
    if (answer.text === void 0) {
      const told = "No answer is stored";
      return h(
        "p",
        { class: "note" },
        isMissing(state) ? `${told}.` : `${told}; the official scorer takes that for wrong.`
      );
    }
    if (answer.text === "") return h("p", { class: "note" }, "The answer is empty.");
    return block(answer.text, answer.span ?? null);
  }
  function reading(answer, rule) {
    const read = String(answer.reading ?? "");
    return h(
      "p",
      {},
      answer.unparsed ? "Nobody could say what was answered" : ["Read as ", h("b", {}, brief(read))],
      " by rule ",
      h("code", {}, own(rule)),
      answer.span || answer.unparsed ? "" : ", from the whole answer"
    );
  }
  function probabilities(pairs) {
    const rows = pairs.map(([name, chance]) => [
      own(name),
      `${fixed(100 * chance, 1)}`,
      bars(`${name} ${fixed(100 * chance, 1)} %`, [{ value: chance, interval: null }], 1)
    ]);
    return table("How probable the model held each answer, %", ["Answer", "Value", "Bar"], rows);
  }
  function opinion([value]) {
    const held = value >= 1 ? "right" : value <= 0 ? "wrong" : fixed(value);
    return h("p", {}, "The judge holds it for ", h("b", {}, held), ".");
  }
  function verdict(found) {
    const said = found.error ? h("div", { class: "note" }, "Failed: ", block(found.error)) : block(found.text);
    return h("div", { class: "verdict" }, h("p", {}, "Judge ", own(found.judge), " said"), said);
  }
  function madeAgain(again) {
    if (again.same) return h("p", { class: "quiet" }, "Made again without sharing: the same answer.");
    const what = again.error ? "Could not be made again without sharing:" : "Made again without sharing it is another answer:";
    return h("div", { class: "note" }, what, block(again.error ?? again.text ?? ""));
  }
  function details(values) {
    const rows = Object.entries(values).map(([name, value]) => {
      const text = typeof value === "string" ? value : JSON.stringify(value);
      return h("div", {}, h("dt", {}, own(name)), h("dd", {}, block(text, null, 300)));
    });
    return h("details", {}, h("summary", {}, "Counts and details of the score"), h("dl", {}, rows));
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

  // view_address.js
  var NONE = "none";
  var address = new Address({
    task: "",
    run: "",
    baseline: "",
    state: "",
    change: "",
    category: "",
    text: "",
    sample: ""
  });
  function runsOf(task) {
    return task.states.flatMap((states, run) => states === null ? [] : [run]);
  }
  function sides(task, view) {
    const runs = runsOf(task);
    const asked = (name) => runs.find((run2) => String(run2) === name);
    const firstBut = (other) => runs.find((run2) => run2 !== other);
    const run = asked(view.run) ?? firstBut(asked(view.baseline) ?? runs[0]) ?? runs[0];
    if (view.baseline === NONE) return { run, baseline: null };
    const baseline = asked(view.baseline);
    return { run, baseline: (baseline === run ? void 0 : baseline) ?? firstBut(run) ?? null };
  }

  // task_filters.js
  var UNFILTERED = { state: "", change: "", category: "", text: "", sample: "" };
  function filtered(task, view, { run, baseline }) {
    const letters = OUTCOMES.find((outcome) => outcome.name === view.state)?.letters;
    const wanted = task.kinds.map((names) => view.category === "" || names.includes(view.category));
    const places = [];
    for (let place = 0; place < task.count; place += 1) {
      if (!wanted[task.kind[place]]) continue;
      if (letters && !letters.includes(stateOf(task, run, place))) continue;
      if (view.change && baseline !== null && changeOf(task, run, baseline, place) !== view.change) continue;
      places.push(place);
    }
    return places;
  }
  function filterFields(filtering) {
    const { task, view, change } = filtering;
    const names = [...new Set(task.kinds.flat())].sort();
    return [
      ...sideFields(filtering),
      select(filtering, "state", "Outcome", [["", `All ${count(task.count)}`], ...outcomes(filtering)]),
      ...changeFields(filtering),
      ...names.length ? [select(filtering, "category", "Category", [["", "All"], ...names.map((name) => option(name, name))])] : [],
      searchField("Text", view.text, (text) => change({ text, sample: "" }))
    ];
  }
  function select({ view, change }, name, label, options) {
    return selectField(name, label, options, view[name], (value) => change({ [name]: value, sample: "" }));
  }
  function sideFields({ runs, task, view, sides: sides2, change }) {
    const { run, baseline } = sides2;
    const options = runsOf(task).map((each) => option(String(each), `${letter(each)} ${runs[each].name}`));
    if (options.length < 2) return [];
    const others = options.filter(([each]) => each !== String(run));
    const chooseRun = (chosen) => {
      const other = chosen === String(baseline) ? run : baseline;
      change({ run: chosen, baseline: String(other ?? NONE), sample: "" });
    };
    const chooseBaseline = (chosen) => change({ run: String(run), baseline: chosen, change: chosen === NONE ? "" : view.change, sample: "" });
    return [
      selectField("run", "Run", options, String(run), chooseRun),
      selectField("baseline", "Compare with", [[NONE, "nothing"], ...others], String(baseline ?? NONE), chooseBaseline)
    ];
  }
  function outcomes({ task, view, sides: sides2 }) {
    const states = [...task.states[sides2.run] ?? ""];
    return OUTCOMES.flatMap(({ name, label, letters }) => {
      const number = states.filter((state) => letters.includes(state)).length;
      return number || name === view.state ? [option(name, `${label} ${count(number)}`)] : [];
    });
  }
  function changeFields(filtering) {
    const { task, sides: sides2 } = filtering;
    const { run, baseline } = sides2;
    if (baseline === null) return [];
    const changes = task.ids.map((_, place) => changeOf(task, run, baseline, place));
    const options = CHANGES.map(
      ({ name, label }) => option(name, `${label} ${count(changes.filter((change) => change === name).length)}`)
    );
    return [select(filtering, "change", "Against it", [["", "All"], ...options])];
  }
  function option(value, text) {
    return [value, text];
  }

  // browser.js
  var Browser = class {
    /** What was asked for; of several things the last. */
    #turn = 0;
    /** What the list shows. */
    #drawn = "";
    /** @type {View} */
    #view = address.first;
    /** @type {Sides} */
    #sides = { run: 0, baseline: null };
    /** @type {number[]} Questions that pass the filters. */
    #places = [];
    /** The question that is looked at, -1 if there is none. */
    #place = -1;
    #form = filterForm();
    #status = h("p", { role: "status", class: "status" });
    #previous = h("button", { type: "button", onclick: () => this.turnPage(-1) }, "Previous page");
    #next = h("button", { type: "button", onclick: () => this.turnPage(1) }, "Next page");
    #list = h("ol", { class: "list", "aria-label": "Questions", tabindex: -1 });
    #detail = h("article", { class: "detail", "aria-labelledby": "sample", tabindex: -1 });
    /**
     * @param {ViewDocument} page
     * @param {Source} source
     * @param {number} number of the task
     * @param {(view: View) => void} move called with what is to be looked at instead
     */
    constructor(page2, source, number, move) {
      this.page = page2;
      this.source = source;
      this.number = number;
      this.task = page2.tasks[number];
      this.move = move;
      const pages = h("div", { class: "pages" }, this.#previous, this.#next);
      this.element = h(
        "section",
        { "aria-labelledby": "questions", class: "questions" },
        h("h2", { id: "questions" }, "Questions"),
        this.#form,
        h("div", { class: "bar-of-list" }, this.#status, pages),
        h("div", { class: "panes" }, this.#list, this.#detail)
      );
    }
    /**
     * Shows what `view` asks for; what was asked for later wins.
     *
     * @param {View} view
     */
    async show(view) {
      this.#view = view;
      this.#sides = sides(this.task, view);
      this.#turn += 1;
      const turn = this.#turn;
      this.#drawForm();
      let places = filtered(this.task, view, this.#sides);
      if (view.text) {
        const found = await this.source.search(this.number, view.text);
        places = places.filter((place) => found.has(place));
      }
      if (turn !== this.#turn) return;
      this.#places = places;
      const given = view.sample === "" ? -1 : this.task.ids.indexOf(view.sample);
      this.#place = given >= 0 ? given : places[0] ?? -1;
      await Promise.all([this.#drawList(turn), this.#drawDetail(turn)]);
    }
    get #position() {
      return this.#places.indexOf(this.#place);
    }
    /** The first position of the page that holds the question that is looked at. */
    get #start() {
      return Math.floor(Math.max(0, this.#position) / this.task.piece) * this.task.piece;
    }
    /** @param {number} place */
    #go(place) {
      this.#change({ sample: this.task.ids[place] });
    }
    /** @param {Partial<View>} change */
    #change(change) {
      this.move({ ...this.#view, ...change });
    }
    /** @param {number} steps */
    step(steps) {
      const next = this.#position < 0 ? 0 : this.#position + steps;
      if (next >= 0 && next < this.#places.length) this.#go(this.#places[next]);
    }
    /** @param {number} pages */
    turnPage(pages) {
      const next = this.#start + pages * this.task.piece;
      if (next >= 0 && next < this.#places.length) this.#go(this.#places[next]);
    }
    search() {
      this.#form.querySelector("input")?.focus();
    }
    clear() {
      this.#change(UNFILTERED);
    }
    #drawForm() {
      const { page: page2, task } = this;
      const change = (change2) => this.#change(change2);
      drawFields(this.#form, [
        ...filterFields({ runs: page2.runs, task, view: this.#view, sides: this.#sides, change }),
        h("button", { type: "button", onclick: () => this.clear() }, "Clear")
      ]);
    }
    /** @param {number} turn */
    async #drawList(turn) {
      const shown = this.#places.slice(this.#start, this.#start + this.task.piece);
      this.#tell(shown.length);
      const key = JSON.stringify([shown[0], shown.length, { ...this.#view, sample: "" }]);
      if (key !== this.#drawn) {
        const rows = await this.source.rows(this.number, shown);
        if (turn !== this.#turn) return;
        this.#drawn = key;
        this.#list.replaceChildren(...rows.map((row, number) => this.#entry(row, shown[number])));
        this.#list.scrollTop = 0;
      }
      for (const link3 of this.#list.querySelectorAll("[aria-current]")) link3.removeAttribute("aria-current");
      const link2 = this.#list.children[this.#position - this.#start]?.firstElementChild;
      link2?.setAttribute("aria-current", "true");
      if (link2) this.#reveal(link2);
    }
    /**
     * Scrolls the list, and nothing else, so that an entry is seen.
     *
     * @param {Element} link
     */
    #reveal(link2) {
      const [entry, box] = [link2.getBoundingClientRect(), this.#list.getBoundingClientRect()];
      if (entry.top < box.top) this.#list.scrollTop -= box.top - entry.top;
      else if (entry.bottom > box.bottom) this.#list.scrollTop += entry.bottom - box.bottom;
    }
    /** @param {number} shown */
    #tell(shown) {
      const all = this.#places.length;
      const start = this.#start;
      const range = all > shown ? `${count(start + 1)} to ${count(start + shown)} of ${count(all)}` : count(all);
      this.#status.textContent = all === 0 ? "No question passes these filters." : `Questions ${range}`;
      this.#previous.disabled = start === 0;
      this.#next.disabled = start + shown >= all;
    }
    /**
     * @param {Row} row
     * @param {number} place
     */
    #entry(row, place) {
      const { run, baseline } = this.#sides;
      const compared = baseline !== null;
      const answer = row.answers[run];
      const text = answer?.error ? `failed: ${answer.error}` : answer?.text;
      const signs = (compared ? [baseline, run] : [run]).map((each) => [
        compared ? badge(each) : null,
        sign(stateOf(this.task, each, place))
      ]);
      return h(
        "li",
        {},
        h(
          "a",
          { href: address.of({ ...this.#view, sample: row.id }) },
          this.#thumbnail(row),
          h("span", { class: compared ? "signs compared" : "signs" }, signs),
          h(
            "span",
            { class: "lines" },
            h("span", { class: "asked" }, brief(row.prompt)),
            h("span", { class: "said" }, text === void 0 ? "" : ["→ ", brief(text)])
          )
        )
      );
    }
    /** @param {Row} row */
    #thumbnail(row) {
      const image = h("img", { alt: "", class: "small", width: 40, height: 40 });
      if (row.images.length)
        this.source.thumbnail(row.images[0][0]).then((place) => place && image.setAttribute("src", place));
      return image;
    }
    /** @param {number} turn */
    async #drawDetail(turn) {
      const place = this.#place;
      if (place < 0) {
        this.#detail.replaceChildren(h("h3", { id: "sample" }, "No question"));
        return;
      }
      const [row] = await this.source.rows(this.number, [place]);
      if (turn !== this.#turn) return;
      const { page: page2, task } = this;
      const shown = sampleView({ page: page2, task, row, place }, this.source, (other) => this.#go(other));
      this.#detail.replaceChildren(this.#detailHead(row), ...nodes(shown));
      this.#detail.scrollTop = 0;
    }
    /** @param {Row} row */
    #detailHead(row) {
      const position = this.#position;
      const all = this.#places.length;
      const where = position < 0 ? "not among these questions" : `${count(position + 1)} of ${count(all)}`;
      const step = (text, steps, disabled) => h("button", { type: "button", onclick: () => this.step(steps), disabled }, text);
      return h(
        "div",
        { class: "detail-head" },
        h("h3", { id: "sample" }, own(row.id), h("span", { class: "quiet" }, ` ${where}`)),
        h("span", { class: "steps" }, step("Previous", -1, position <= 0), step("Next", 1, position + 1 >= all))
      );
    }
  };

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
  function about(page2) {
    const text = `${page2.by} · ${plural(page2.runs.length, "run")} · ${plural(page2.tasks.length, "task")}`;
    return h("p", { class: "quiet" }, text);
  }
  function drawLinks(nav, entries) {
    const links = entries.map(
      ([text, href, here]) => h("li", {}, h("a", { href, "aria-current": here ? "page" : null }, text))
    );
    redraw(nav, h("ul", {}, links));
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
  function remembering(read) {
    const kept = /* @__PURE__ */ new Map();
    return (key) => {
      const known = kept.get(key);
      if (known !== void 0) return known;
      const value = read(key);
      kept.set(key, value);
      return value;
    };
  }
  function embeddedSource(tasks, imagePiece) {
    const rowsOf = remembering((key) => (
      /** @type {Row[]} */
      embedded(`rows-${key}`)
    ));
    const imagesOf = remembering((piece) => (
      /** @type {(string | null)[]} */
      embedded(`images-${piece}`) ?? []
    ));
    const ready = document.readyState === "loading" ? new Promise((resolve) => document.addEventListener("DOMContentLoaded", resolve, { once: true })) : Promise.resolve();
    const row = (task, place) => {
      const { piece } = tasks[task];
      return rowsOf(`${task}-${Math.floor(place / piece)}`)[place % piece];
    };
    return {
      rows: async (task, places) => places.map((place) => row(task, place)),
      search: async (task, text) => {
        const wanted = text.toLowerCase();
        const places = Array.from({ length: tasks[task].count }, (_, place) => place);
        return new Set(places.filter((place) => searched(row(task, place)).includes(wanted)));
      },
      thumbnail: async (number) => {
        await ready;
        return imagesOf(String(Math.floor(number / imagePiece)))[number % imagePiece] ?? null;
      },
      whole: () => null
    };
  }
  function searched(row) {
    const answers2 = row.answers.filter((answer) => answer !== null);
    const read = answers2.flatMap((answer) => [answer.text ?? "", String(answer.reading ?? ""), answer.error ?? ""]);
    return [row.id, row.prompt, ...row.target, ...row.choices, ...read].join("\n").toLowerCase();
  }
  function servedSource() {
    const ask = async (path) => {
      const response = await fetch(path);
      if (!response.ok) throw new Error(`${path}: ${response.status}`);
      return response.json();
    };
    return {
      rows: (task, places) => ask(`rows/${task}?places=${places.join(",")}`),
      search: async (task, text) => new Set(await ask(`search/${task}?text=${encodeURIComponent(text)}`)),
      thumbnail: async (number) => `thumbnails/${number}`,
      whole: (number) => `images/${number}`
    };
  }

  // headline.js
  function headlineOf(result) {
    return result?.metrics.find((metric) => metric.name === result.headline) ?? null;
  }
  function shareOfMost(result) {
    const metric = headlineOf(result);
    return metric?.most && metric.value !== null ? metric.value / metric.most : null;
  }

  // summary.js
  function summaryView(page2) {
    return [
      h("h2", {}, "Scores"),
      page2.runs.length > 1 ? legend(page2.runs) : null,
      scores(page2),
      h("p", { class: "actions" }, copyButton("Copy as LaTeX", page2.latex)),
      h(
        "p",
        { class: "quiet" },
        "Percentages are 0 to 100. Intervals: 95 %, clustered by image. Marks in capitals say what weakens a score."
      ),
      benchmarks(page2),
      h("h2", {}, "How the runs were made"),
      page2.runs.map(making)
    ];
  }
  function scores(page2) {
    const several = page2.runs.length > 1;
    const run = several ? ["Run"] : [];
    const heads = ["Task", ...run, "Score", "95 % CI", "Metric", "n", "Unparsed", "Failed", "Seconds", "Samples/s"];
    const groups = page2.tasks.map((task) => {
      const found = task.results.flatMap((result, run2) => result === null ? [] : [{ result, run: run2 }]);
      return found.map(({ result, run: run2 }, place) => {
        const head = place === 0 ? h("th", { scope: "rowgroup", rowspan: found.length }, taskLink(task)) : null;
        const name = several ? [h("span", { class: "nowrap run-name" }, badge(run2), " ", own(page2.runs[run2].name))] : [];
        return h("tr", {}, head, [...name, ...scoreCells(result)].map(dataCell));
      });
    });
    const caption = `Headline scores of ${plural(page2.runs.length, "run")} on ${plural(page2.tasks.length, "task")}`;
    return tableOf(caption, heads, groups);
  }
  function taskLink(task) {
    return h("a", { href: address.of({ task: task.label }) }, own(task.label));
  }
  function scoreCells(result) {
    return [
      h("span", {}, h("b", {}, own(result.score)), tags(result.marks)),
      intervalText(headlineOf(result)),
      own(result.headline),
      count(result.n),
      share(result.unparsed, result.n),
      count(result.failed),
      result.seconds === null ? "stored" : fixed(result.seconds, 1),
      fixed(result.speed, 1)
    ];
  }
  function share(part, whole) {
    return part && whole ? `${count(part)} (${fixed(100 * part / whole, 1)} %)` : String(part);
  }
  function benchmarks(page2) {
    const axes = page2.tasks.filter((task) => task.results.some((result) => headlineOf(result)?.most));
    if (axes.length < 3) return null;
    const runs = page2.runs.map((_, run) => axes.map((task) => shareOfMost(task.results[run])));
    const left = page2.tasks.filter((task) => !axes.includes(task)).map((task) => task.label);
    const without = left.length ? ` Without ${left.join(", ")}, which have no such limit.` : "";
    const note = `Headline scores as a share of the most they could be.${without}`;
    const labels = axes.map((task) => task.label);
    return radar("Benchmarks", labels, runs, note);
  }
  function making(run, place) {
    const entries = run.made.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, own(value))));
    return h(
      "details",
      { class: "making" },
      h("summary", {}, badge(place), " ", own(run.name), h("span", { class: "quiet" }, " ", own(run.folder))),
      h("dl", {}, entries)
    );
  }

  // task.js
  function taskNumbers(page2, task) {
    const told = task.results.map((result, run) => result === null ? null : resultFacts(page2, result, run));
    return h(
      "section",
      { "aria-labelledby": "numbers" },
      h("h2", { id: "numbers" }, own(task.label)),
      h("div", { class: "results" }, told),
      h("div", { class: "plots" }, metricsOf(page2, task), calibrations(page2, task))
    );
  }
  function resultFacts(page2, result, run) {
    const headline = headlineOf(result);
    const facts = [
      countsOf(result),
      ...readingsOf(result),
      ...Object.entries(result.failures).map(([reason, number]) => fact("Failure", `${count(number)} × ${reason}`)),
      ...result.served ? [fact("Served", result.served)] : [],
      ...result.judges.map((line) => fact("Judge", line)),
      ...madeAgain2(result),
      fact(
        "Certificate",
        result.certificate ? `scorer compared with an independent one, ${result.certificate}` : "none that is current"
      )
    ];
    return h(
      "div",
      { class: "result" },
      h(
        "p",
        { class: "headline" },
        badge(run),
        " ",
        own(page2.runs[run].name),
        " · ",
        own(result.headline),
        " ",
        h("b", {}, own(result.score)),
        headline ? ` (${intervalText(headline)})` : "",
        tags(result.marks)
      ),
      h(
        "dl",
        {},
        facts.map(([name, text]) => h("div", {}, h("dt", {}, name), h("dd", {}, own(text))))
      )
    );
  }
  function fact(name, text) {
    return [name, text];
  }
  function countsOf(result) {
    const { missing, failed, unparsed, unlabelled } = result;
    const lacking = Object.entries({ missing, failed, unparsed, unlabelled }).filter(([, number]) => number);
    const told = lacking.map(([name, number]) => `${count(number)} ${name}`);
    return fact("Counts", [`${count(result.n)} scored`, ...told].join(", "));
  }
  function readingsOf(result) {
    const facts = [];
    if (result.envelope && result.unparsed) {
      const range = result.envelope.map((value) => fixed(value)).join(" to ");
      facts.push(fact("Unparsed", `${range} with all unparsed answers wrong to all right`));
    }
    if (result.lenient) facts.push(fact("Forgiving", `${result.lenient}, for comparison only`));
    const rules = Object.entries(result.rules).map(([rule, number]) => `${rule} ${count(number)}`);
    return [...facts, ...result.wrapped.map((line) => fact("Wrapped", line)), fact("Read by", rules.join(", ") || "–")];
  }
  function madeAgain2(result) {
    const check = result.equivalence;
    if (!check?.checked) return [];
    const told = `${check.identical} of ${check.checked} answers made without sharing have the same text`;
    return [fact("Made again", check.exact ? told : `${told}; in half precision they need not`)];
  }
  function metricsOf(page2, task) {
    const names = [...new Set(task.results.flatMap((result) => result?.metrics.map((metric) => metric.name) ?? []))];
    if (names.length === 0) return h("p", { class: "quiet" }, "No metric: nothing that it needs was scored.");
    const largest = largestWithoutMost(task.results);
    const runs = task.results.flatMap((result, run) => result === null ? [] : [run]);
    const single = runs.length === 1;
    const values = runs.flatMap((run) => [single ? "Value" : letter(run), "95 % CI"]);
    const rows = names.map((name) => {
      const metrics = task.results.map((result) => result?.metrics.find((metric) => metric.name === name) ?? null);
      const numbers = runs.flatMap((run) => [fixed(metrics[run]?.value), intervalText(metrics[run])]);
      const most = metrics.find((metric) => metric?.most)?.most ?? largest;
      return [own(name), ...numbers, bars(barLabel(page2, name, metrics, most), metrics, most)];
    });
    return table(`Metrics of ${task.label}`, ["Metric", ...values, single ? "Bar" : "Bars"], rows);
  }
  function largestWithoutMost(results) {
    const metrics = results.flatMap((result) => result?.metrics ?? []);
    return Math.max(1e-9, ...metrics.filter((metric) => !metric.most).map((metric) => metric.value ?? 0));
  }
  function barLabel(page2, name, metrics, most) {
    const told = metrics.flatMap((metric, run) => metric ? [`${page2.runs[run].name} ${fixed(metric.value)}`] : []);
    return `${name} from 0 to ${fixed(most)}: ${told.join(", ")}`;
  }
  function calibrations(page2, task) {
    return task.results.map(
      (result, run) => result?.probabilities ? calibration(result.probabilities, run, page2.runs[run].name) : null
    );
  }

  // view.js
  var ViewPage = class {
    /** What was asked for; of several things the last. */
    #turn = 0;
    /** @type {number | null} The task that is shown, -1 for all scores. */
    #shown = null;
    /** @type {Browser | null} */
    #browser = null;
    /**
     * @param {ViewDocument} page
     * @param {Source} source
     */
    constructor(page2, source) {
      this.page = page2;
      this.source = source;
      const { nav, main } = frame(masthead(page2));
      this.nav = nav;
      this.main = main;
    }
    async start() {
      addEventListener("hashchange", () => this.show(address.read()));
      addEventListener("keydown", (event) => this.#press(event));
      await this.show(address.read());
      performance.mark("shown");
    }
    /**
     * Shows what an address asks for; busy until the last that was asked for is there.
     *
     * @param {View} view
     */
    async show(view) {
      this.#turn += 1;
      const turn = this.#turn;
      this.main.setAttribute("aria-busy", "true");
      try {
        await this.#draw(view);
      } catch (error) {
        const reason = error instanceof Error ? error.message : error;
        this.main.prepend(h("p", { role: "alert", class: "note" }, `This cannot be shown: ${reason}`));
      }
      if (turn === this.#turn) this.main.setAttribute("aria-busy", "false");
    }
    /** @param {View} view */
    #draw(view) {
      const number = this.page.tasks.findIndex((task) => task.label === view.task);
      const entered = this.#shown !== number;
      this.#drawNav(number);
      if (number < 0) this.#drawSummary();
      else if (entered) this.#drawTask(number);
      this.#shown = number;
      const shown = this.#browser?.show(view);
      if (entered) scrollTo(0, 0);
      if (entered && view.sample !== "") this.#browser?.element.scrollIntoView();
      return shown;
    }
    /** @param {number} number of the task that is shown */
    #drawNav(number) {
      const tasks = this.page.tasks.map((task, place) => link(own(task.label), task.label, place === number));
      drawLinks(this.nav, [link("Scores", "", number < 0), ...tasks]);
    }
    #drawSummary() {
      this.#browser = null;
      this.main.replaceChildren(...nodes(summaryView(this.page)));
    }
    /** @param {number} number */
    #drawTask(number) {
      const task = this.page.tasks[number];
      const big = this.page.leftOut.includes(task.label);
      this.#browser = big ? null : new Browser(this.page, this.source, number, (view) => this.#move(view));
      this.main.replaceChildren(taskNumbers(this.page, task), this.#browser?.element ?? tooBig(task));
    }
    /** @param {View} view */
    #move(view) {
      history.replaceState(null, "", address.of(view));
      this.show(view);
    }
    /** @param {KeyboardEvent} event */
    #press(event) {
      if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
      const field = event.target instanceof HTMLElement ? event.target.closest("input, select, textarea") : null;
      if (field instanceof HTMLElement) {
        if (event.key === "Escape") field.blur();
        return;
      }
      const key = KEYS.find((each) => each.name === event.key);
      if (key?.act === void 0) return;
      event.preventDefault();
      key.act(this.#browser);
    }
  };
  var KEYS = [
    { name: "j", does: "next question", act: (browser) => browser?.step(1) },
    { name: "k", does: "previous question", act: (browser) => browser?.step(-1) },
    { name: "n", does: "next page", act: (browser) => browser?.turnPage(1) },
    { name: "p", does: "previous page", act: (browser) => browser?.turnPage(-1) },
    { name: "/", does: "search", act: (browser) => browser?.search() },
    { name: "x", does: "clear the filters", act: (browser) => browser?.clear() },
    {
      name: "s",
      does: "all scores",
      act: () => {
        location.hash = "";
      }
    },
    { name: "?", does: "these keys", act: showKeys },
    { name: "Esc", does: "leave a field" }
  ];
  function link(text, task, here) {
    return [text, address.of({ task }), here];
  }
  function masthead(page2) {
    const keys = h("button", { type: "button", onclick: showKeys }, "Keys ", h("kbd", {}, "?"));
    const names = page2.runs.map((run) => own(run.name));
    return h("header", {}, h("div", {}, h("h1", {}, listed(names)), about(page2)), keys);
  }
  function tooBig(task) {
    const told = `${plural(task.count, "question")} are more than this page holds. `;
    return h(
      "section",
      {},
      h("h2", {}, "Questions"),
      h("p", {}, told, h("code", {}, "mipha-eval view --serve RUN"), " shows them.")
    );
  }
  function showKeys() {
    const rows = KEYS.map(({ name, does }) => h("div", {}, h("dt", {}, h("kbd", {}, name)), h("dd", {}, does)));
    const close = h("form", { method: "dialog" }, h("button", {}, "Close"));
    const dialog = h("dialog", { "aria-label": "Keys" }, h("h2", {}, "Keys"), h("dl", { class: "keys" }, rows), close);
    dialog.addEventListener("close", () => dialog.remove());
    document.body.append(dialog);
    dialog.showModal();
  }
  var page = embedded("document");
  new ViewPage(page, page.served ? servedSource() : embeddedSource(page.tasks, page.imagePiece)).start();
})();
