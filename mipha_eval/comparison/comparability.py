"""Which results may be compared, and what a reader must know when they are."""

from __future__ import annotations

from collections.abc import Mapping

from mipha_eval.core.json_value import Json
from mipha_eval.core.judged_task import JudgedTask
from mipha_eval.core.plugins.code_digest import code_digest
from mipha_eval.core.record import record_json
from mipha_eval.judge.stored_task import StoredTask
from mipha_eval.scoring.result_record import ResultRecord

#: fields of a table's definition that decide what is asked beside the questions' own words
ASKED_BY_TABLE = ("max_new_tokens",)


def why_not(first: StoredTask, second: StoredTask) -> str | None:
    """Why two results must not be compared; None if they may."""
    if first.summary.quantity != second.summary.quantity:
        return f"{first.summary.quantity} and {second.summary.quantity} are different protocols"
    if reason := _scored_otherwise(first, second):
        return reason
    if first.judge != second.judge and (
        isinstance(first.task, JudgedTask) or first.summary.headline != second.summary.headline
    ):
        return f"judged by {first.judge or 'nobody'} and by {second.judge or 'nobody'}"
    headlines = [stored.summary.headline for stored in (first, second)]
    if headlines[0] != headlines[1]:
        return f"{headlines[0]} and {headlines[1]} are not the same metric"
    return None


def other_quantity(first: ResultRecord, second: ResultRecord) -> str | None:
    """Why two numbers of one label are not of the same quantity, seen from the results alone; None if they are."""
    if first.quantity != second.quantity:
        return f"{first.quantity} and {second.quantity} are different protocols"
    if first.version != second.version:
        return f"version {first.version} of the task and version {second.version}"
    if first.judged_by != second.judged_by:
        return f"judged by {first.judged_by or 'nobody'} and by {second.judged_by or 'nobody'}"
    if first.headline != second.headline:
        return f"{first.headline} and {second.headline} are not the same metric"
    return None


def _scored_otherwise(first: StoredTask, second: StoredTask) -> str:
    """Why scores by two versions of a task, or of a plugin's code, do not belong together; "" if they do.

    Older runs do not say by what code of a plugin they are.
    """
    versions = [stored.record.version for stored in (first, second)]
    if versions[0] != versions[1]:
        return f"version {versions[0]} of the task and version {versions[1]}; the same run commands score them again"
    if versions[0] != first.task.version:
        return f"scored by version {versions[0]} of the task, this is version {first.task.version}; run them again"
    scorers = [stored.record.table.scorer for stored in (first, second) if stored.record.table]
    if len(set(scorers)) > 1:
        return f"scored by {scorers[0]} and by {scorers[1]}"
    codes = {code for stored in (first, second) if (code := stored.record.code)}
    if len(codes) > 1:
        return "scored by different code of the plugin; the same run commands score them again"
    if codes and codes != {code_digest(type(first.task))}:
        return "scored by other code than the plugin has now; the same run commands score them again"
    return ""


def other_options(first: StoredTask, second: StoredTask) -> list[str]:
    """Options of the task, and of how judge and model were asked, that differ, such as ``tokenizer=treebank, not ptb``."""
    own, others = (_options(stored) for stored in (first, second))
    keys = sorted(own.keys() | others.keys())
    return [f"{key}={others.get(key)}, not {own.get(key)}" for key in keys if own.get(key) != others.get(key)]


def _options(stored: StoredTask) -> Mapping[str, Json]:
    asked = stored.summary.judge.notes if stored.summary.judge else {}
    worded = {f"asked with {key}": text for key, text in (stored.summary.asked or {}).items()}
    judged = {f"judge's {key}": asked[key] for key in ("prompts", "runs") if key in asked}
    table = record_json(stored.record.table) if stored.record.table else {}
    own = {name: table[name] for name in ASKED_BY_TABLE if table.get(name)}
    return {**stored.record.options, **judged, **worded, **own}
