"use strict";
// The first view: all scores of all runs with what weakens them, and how the runs were made.

function summaryView(page) {
  return [
    h("h2", {}, "Scores"),
    page.runs.length > 1 ? legend(page.runs) : null,
    scores(page),
    h("p", { class: "actions" }, copyButton("Copy as LaTeX", page.latex)),
    h(
      "p",
      { class: "quiet" },
      "Percentages are 0 to 100. Intervals: 95 %, clustered by image. Marks in capitals say what weakens a score.",
    ),
    benchmarks(page),
    h("h2", {}, "How the runs were made"),
    page.runs.map((run, place) => making(run, place)),
  ];
}

function scores(page) {
  const several = page.runs.length > 1;
  const heads = [
    "Task",
    several ? "Run" : null,
    "Score",
    "95 % CI",
    "Metric",
    "n",
    "Unparsed",
    "Failed",
    "Seconds",
    "Samples/s",
  ];
  const groups = page.tasks.map((task) => {
    const runs = page.runs.map((_, run) => run).filter((run) => task.results[run] !== null);
    return runs.map((run, place) => {
      const head = place === 0 ? h("th", { scope: "rowgroup", rowspan: runs.length }, taskLink(task, run)) : null;
      return h("tr", {}, head, scoreCells(page, task.results[run], several ? run : null).map(dataCell));
    });
  });
  const caption = `Headline scores of ${plural(page.runs.length, "run")} on ${plural(page.tasks.length, "task")}`;
  return tableOf(
    caption,
    heads.filter((head) => head !== null),
    groups,
  );
}

function taskLink(task, run) {
  return h("a", { href: addressOf({ ...NOTHING, task: task.label, run }) }, own(task.label));
}

/** What stands beside the task's name; `run` is null where there is but one. */
function scoreCells(page, result, run) {
  const headline = result.metrics.find((metric) => metric.name === result.headline);
  const cells = [
    run === null ? null : h("span", { class: "nowrap run-name" }, badge(run), " ", own(page.runs[run].name)),
    h("span", {}, h("b", {}, own(result.score)), tags(result.marks)),
    intervalText(headline),
    own(result.headline),
    count(result.n),
    share(result.unparsed, result.n),
    count(result.failed),
    result.seconds === null ? "stored" : fixed(result.seconds, 1),
    result.speed === null ? "–" : fixed(result.speed, 1),
  ];
  return cells.filter((cell) => cell !== null);
}

function share(part, whole) {
  return part && whole ? `${count(part)} (${fixed((100 * part) / whole, 1)} %)` : String(part);
}

/** A radar of the headlines that have a most; with fewer than three there is nothing to see. */
function benchmarks(page) {
  const headline = (result) => result?.metrics.find((metric) => metric.name === result.headline) ?? null;
  const axes = page.tasks.filter((task) => task.results.some((result) => headline(result)?.most));
  if (axes.length < 3) return null;
  const runs = page.runs.map((_, run) =>
    axes.map((task) => {
      const metric = headline(task.results[run]);
      return metric?.most ? metric.value / metric.most : null;
    }),
  );
  const left = page.tasks.filter((task) => !axes.includes(task)).map((task) => task.label);
  const without = left.length ? ` Without ${left.join(", ")}, which have no such limit.` : "";
  const note = `Headline scores as a share of the most they could be.${without}`;
  return radar(
    "Benchmarks",
    axes.map((task) => task.label),
    runs,
    note,
  );
}

function making(run, place) {
  const entries = run.made.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, own(value))));
  return h(
    "details",
    { class: "making" },
    h("summary", {}, badge(place), " ", own(run.name), h("span", { class: "quiet" }, " ", own(run.folder))),
    h("dl", {}, entries),
  );
}
