"use strict";
// A task: what its results say, every metric with its interval, calibration.

function taskNumbers(page, task) {
  const told = task.results.map((result, run) => (result === null ? null : resultFacts(page, result, run)));
  return [
    h(
      "section",
      { "aria-labelledby": "numbers" },
      h("h2", { id: "numbers" }, own(task.label)),
      h("div", { class: "results" }, told),
      h("div", { class: "plots" }, metricsOf(page, task), calibrations(page, task)),
    ),
  ];
}

/** A result in words. */
function resultFacts(page, result, run) {
  const headline = result.metrics.find((metric) => metric.name === result.headline);
  const interval = headline ? ` (${intervalText(headline)})` : "";
  const counts = [
    `${count(result.n)} scored`,
    ...["missing", "failed", "unparsed", "unlabelled"]
      .filter((name) => result[name])
      .map((name) => `${count(result[name])} ${name}`),
  ];
  const facts = [["Counts", counts.join(", ")]];
  if (result.envelope && result.unparsed)
    facts.push([
      "Unparsed",
      `${result.envelope.map((value) => fixed(value)).join(" to ")} with all unparsed answers wrong to all right`,
    ]);
  if (result.lenient) facts.push(["Forgiving", `${result.lenient}, for comparison only`]);
  for (const line of result.wrapped) facts.push(["Wrapped", line]);
  facts.push([
    "Read by",
    Object.entries(result.rules)
      .map(([rule, number]) => `${rule} ${count(number)}`)
      .join(", ") || "–",
  ]);
  for (const [reason, number] of Object.entries(result.failures))
    facts.push(["Failure", `${count(number)} × ${reason}`]);
  for (const line of result.judges) facts.push(["Judge", line]);
  const check = result.equivalence;
  if (check?.checked)
    facts.push([
      "Made again",
      `${check.identical} of ${check.checked} answers made without sharing have the same text` +
        (check.exact ? "" : "; in half precision they need not"),
    ]);
  facts.push([
    "Certificate",
    result.certificate ? `scorer compared with an independent one, ${result.certificate}` : "none that is current",
  ]);
  return h(
    "div",
    { class: "result" },
    h(
      "p",
      { class: "headline" },
      badge(run),
      " ",
      own(page.runs[run].name),
      " · ",
      own(result.headline),
      " ",
      h("b", {}, own(result.score)),
      interval,
      tags(result.marks),
    ),
    h(
      "dl",
      {},
      facts.map(([name, text]) => h("div", {}, h("dt", {}, name), h("dd", {}, own(text)))),
    ),
  );
}

function asText(value) {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** All metrics by name, each run's value beside its interval, drawn from 0 to the most that it could be. */
function metricsOf(page, task) {
  const names = [...new Set(task.results.flatMap((result) => result?.metrics.map((metric) => metric.name) ?? []))];
  if (names.length === 0) return h("p", { class: "quiet" }, "No metric: nothing that it needs was scored.");
  const found = (name) => task.results.map((result) => result?.metrics.find((metric) => metric.name === name) ?? null);
  const largest = Math.max(
    1e-9,
    ...names.flatMap((name) =>
      found(name)
        .filter((metric) => metric && !metric.most)
        .map((metric) => metric.value),
    ),
  );
  const runs = page.runs.map((_, run) => run).filter((run) => task.results[run] !== null);
  const single = runs.length === 1;
  const heads = [
    "Metric",
    ...runs.flatMap((run) => [single ? "Value" : `${letter(run)}`, "95 % CI"]),
    single ? "Bar" : "Bars",
  ];
  const rows = names.map((name) => {
    const metrics = found(name);
    const numbers = runs.flatMap((run) => [fixed(metrics[run]?.value), intervalText(metrics[run])]);
    const most = metrics.find((metric) => metric?.most)?.most ?? largest;
    return [own(name), ...numbers, bars(barLabel(page, name, metrics, most), metrics, most)];
  });
  return table(`Metrics of ${task.label}`, heads, rows);
}

function barLabel(page, name, metrics, most) {
  const told = metrics
    .map((metric, run) => (metric ? `${page.runs[run].name} ${fixed(metric.value)}` : null))
    .filter(Boolean);
  return `${name} from 0 to ${fixed(most)}: ${told.join(", ")}`;
}

function calibrations(page, task) {
  const plots = task.results.map((result, run) =>
    result?.probabilities ? calibration(result.probabilities, run, page.runs[run].name) : null,
  );
  return plots.filter(Boolean);
}
