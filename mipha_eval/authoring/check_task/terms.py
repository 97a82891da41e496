"""Licence and citation, and what a run would take."""

from __future__ import annotations

from collections.abc import Iterator

from mipha_eval.authoring.check_task.point import Said, count, cut
from mipha_eval.authoring.check_task.sharing import cost
from mipha_eval.authoring.check_task.under_check import TaskUnderCheck
from mipha_eval.core.judged_task import JudgedTask
from mipha_eval.judge.settings import JudgeChoice
from mipha_eval.runs.plan import plan_judge
from mipha_eval.runs.plan_lines import judge_text
from mipha_eval.scoring.tables.table_task import definition_of

JUDGE = "gpt-4-0613"  # MM-Vet's own, for a price


def licence_is_said(under: TaskUnderCheck) -> Iterator[Said]:
    """Under which licence the questions may be used, and what to cite."""
    said = {"licence": under.task.licence, "citation": under.task.citation}
    lacking = [name for name, text in said.items() if not text.strip()]
    told = ", ".join(f"{name} {cut(text)}" for name, text in said.items() if text.strip())
    if lacking:
        where = "say it in the .toml beside the table" if definition_of(under.task) else "set it as a class attribute"
        yield "note", f"no {' and no '.join(lacking)} is said; {where}{f' ({told})' if told else ''}"
    else:
        yield "ok", told


def what_a_run_takes(under: TaskUnderCheck) -> Iterator[Said]:
    """Questions, distinct requests, pictures, tokens; a judge's calls and their price."""
    distinct = list({request.identity: request for request in under.requests}.values())
    texts, letters = sum(cost(request).own for request in distinct), sum(len(request.text) for request in distinct)
    pictures = count(len(under.images), "picture") if under.images else "no pictures"
    asked = f"{count(len(under.samples), 'question')}, {len(distinct):,} distinct"
    told = f"{asked}, {pictures}, {letters:,} letters of prompts (about {texts:,} tokens)"
    if isinstance(under.task, JudgedTask) and under.labelled:
        plan = plan_judge(under.task, under.labelled, JudgeChoice(JUDGE), None)
        told += f"; judge {JUDGE}: {judge_text(plan)}"
    yield "ok", told
