"""lmms-eval's logs: ``MODEL/DATE_samples_TASK.jsonl``, a line a question, and ``MODEL/DATE_results.json``.

By EvolvingLMMs-Lab/lmms-eval 0.7.3, ``loggers/evaluation_tracker.py`` and ``evaluator.py``. What a line has for each metric
is in `lmms_eval_payloads`; these are by lmms-eval's own rules, so that its aggregations give its own numbers. The numbers in
the results file are ours, and its form has room to say so: a metric is called ``NAME,FILTER``, our filter ``mipha-eval``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from datetime import datetime

from mipha_eval.core.json_line import to_json
from mipha_eval.core.json_value import Json, JsonObject
from mipha_eval.core.task import UNGRADED
from mipha_eval.core.types import Response, Sample
from mipha_eval.suites.write.answered import AnsweredTask, RunFacts, SuiteFile, Written, json_file, left_out, lines_file
from mipha_eval.suites.write.lmms_eval_payloads import FORMS, Given

FILTER = "mipha-eval"


def refusal(task: AnsweredTask) -> str:
    """Why the suite has no form for a task; empty if it has one."""
    if task.benchmark == ("seed", "ppl"):
        return "its log of ranked options says whether each would have been generated, which no run here knows"
    return "" if task.benchmark in FORMS else "it has no task for it"


def write(run: RunFacts, tasks: Sequence[AnsweredTask]) -> Iterator[Written]:
    """The files of a run, below the folder that ``--output_path`` names."""
    begin = f"{run.file_name}/{_date(run)}"
    for task in tasks:
        rows = [_row(task, place, sample, response) for place, sample, response in task.answered]
        notes = [*left_out(task, failures=True), *_order(task), *_without(task)]
        name = FORMS[task.benchmark].task
        yield Written(task.label, (SuiteFile(f"{begin}_samples_{name}.jsonl", lines_file(rows)),), tuple(notes))
    yield Written("", (SuiteFile(f"{begin}_results.json", json_file(_results(run, tasks))),))


def _date(run: RunFacts) -> str:
    """As lmms-eval begins the names of its files, but by the run's own clock."""
    begun = datetime.fromisoformat(run.started) if run.started else datetime(1970, 1, 1)
    return begun.strftime("%Y%m%d_%H%M%S")


def _order(task: AnsweredTask) -> Iterator[str]:
    if not task.rows_of_hub:
        yield (
            f"{task.label}: doc_id counts the {len(task.samples):,} questions as this run asked them, which need not be the "
            "order of lmms-eval's own set; pair runs by their questions"
        )


def _without(task: AnsweredTask) -> Iterator[str]:
    lacking = FORMS[task.benchmark].lacking
    if lacking:
        yield f"{task.label}: without {lacking}, which lmms-eval makes when it scores"


def _row(task: AnsweredTask, place: int, sample: Sample, response: Response) -> JsonObject:
    """A line of the samples' file: an answer that its filters left alone stands once, as ``filtered_resps``."""
    target = target_of(sample)
    asked = [sample.id, sample.prompt, target, [image.name for image in sample.images]]
    return {
        "doc_id": place,
        "target": target,
        "filtered_resps": response.text,
        "token_counts": [{"output_tokens": response.tokens} if response.tokens else None],
        "doc_hash": _digest(to_json(asked)),
        **_payloads(task, sample, response),
        "input": sample.prompt,
    }


def _payloads(task: AnsweredTask, sample: Sample, response: Response) -> JsonObject:
    """Metric -> what a line has for it."""
    payloads, score = FORMS[task.benchmark].payloads, task.scores.get(sample.id)
    graded = score if score is not None and score.rule not in UNGRADED else None
    return payloads(Given(sample, response.text, graded, task.judge)) if payloads else {}


def target_of(sample: Sample) -> str:
    """What is accepted, as text: one answer as it stands, several as Python writes a list."""
    return sample.target[0] if len(sample.target) == 1 else str(list(sample.target))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _results(run: RunFacts, tasks: Sequence[AnsweredTask]) -> JsonObject:
    named = {FORMS[task.benchmark].task: task for task in sorted(tasks, key=lambda task: FORMS[task.benchmark].task)}
    numbers: dict[str, Json] = {
        name: {"alias": name, **{f"{metric},{FILTER}": value for metric, value in task.metrics.items()}}
        for name, task in named.items()
    }
    return {
        "results": numbers,
        "group_subtasks": {name: [] for name in named},
        "configs": {name: _config(name, task) for name, task in named.items()},
        "versions": {name: task.version for name, task in named.items()},
        "n-shot": dict.fromkeys(named, 0),
        "higher_is_better": {name: {} for name in named},
        "n-samples": {name: {"original": task.total, "effective": len(task.samples)} for name, task in named.items()},
        "config": {
            "model": run.model,
            "model_args": ",".join(f"{key}={value}" for key, value in run.options.items()),
            "limit": run.limit,
            "written_by": f"mipha-eval {run.version}",
        },
        "date": _date(run),
        "model_source": "mipha-eval",
        "model_name": run.model,
        "model_name_sanitized": run.file_name,
    }


def _config(name: str, task: AnsweredTask) -> JsonObject:
    """What stands where lmms-eval has the YAML of a task: what was asked here, and what weakens it."""
    return {"task": name, "metadata": {"mipha_eval": task.label, "marks": list(task.marks), "judge": task.judge}}
