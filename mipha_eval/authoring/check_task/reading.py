"""The questions are read, and are the same whenever they are."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from pathlib import Path

from mipha_eval.authoring.check_task.point import Said, count, of, quoted, some
from mipha_eval.authoring.check_task.reread import FIELDS, asked, other_seed, rows_of
from mipha_eval.authoring.check_task.under_check import TaskUnderCheck
from mipha_eval.core.children import run_program
from mipha_eval.core.plugins.blame import place_of
from mipha_eval.core.plugins.checks.questions import wrong_category
from mipha_eval.data.questions import read_questions

#: seconds that another process may take
PATIENCE = 300
BEGIN = "import json, sys; sys.path[:] = json.load(open(sys.argv[1]))['path']; from {module} import main; main(sys.argv[1])"


def samples_load(under: TaskUnderCheck) -> Iterator[Said]:
    """Questions can be read, and are what a run takes."""
    number, labels = len(under.samples), sum(bool(sample.target) for sample in under.samples)
    wrong = wrong_category(under.samples)
    if wrong:
        yield "fault", f"{wrong} ({place_of(type(under.task), 'samples')})"
        return
    expected = under.task.rows.get(under.task.protocol, ())
    odd = expected and under.task.data.kind != "demo" and number not in expected
    release = f"; the release has {' or '.join(f'{rows:,}' for rows in expected)}" if odd else ""
    told = f"{count(number, 'question')} can be read, {'all' if labels == number else f'{labels:,}'} with labels{release}"
    yield "note" if release or not labels else "ok", told


def ids_are_unique(under: TaskUnderCheck) -> Iterator[Said]:
    """No two questions have one id."""
    twice = [name for name, times in Counter(sample.id for sample in under.samples).items() if times > 1]
    if twice:
        place = place_of(type(under.task), "samples")
        yield (
            "fault",
            f"{count(len(twice), 'id')} for several questions: {some(twice)}; each question needs one of its own ({place})",
        )
    else:
        yield "ok", "ids are unique"


def readings_are_equal(under: TaskUnderCheck) -> Iterator[Said]:
    """Read twice, and by a task object that is built anew, the questions are the same in the same order."""
    first = [asked(sample) for sample in under.samples]
    for when, task in (("read a second time", under.task), ("read by a new task object", under.recipe.build())):
        again = [asked(sample) for sample in read_questions(task)]
        if again != first:
            yield "fault", f"{when}, {_difference(first, again)} ({place_of(type(under.task), 'samples')})"
            return
    yield "ok", "read again, and by a new task object, the questions are the same in the same order"


def processes_agree(under: TaskUnderCheck) -> Iterator[Said]:
    """In another process, where Python orders sets otherwise, ids, prompts and labels are the same."""
    own = rows_of(under.samples)
    with tempfile.TemporaryDirectory() as folder:
        order = Path(folder) / "order.json"
        wanted = {"path": sys.path, "answer": f"{folder}/rows.json", "recipe": under.recipe.as_json()}
        order.write_text(json.dumps(wanted), encoding="utf-8")
        code = BEGIN.format(module=rows_of.__module__)
        command = [sys.executable, "-c", code, str(order)]
        try:
            done = run_program(command, environment=other_seed(), seconds=PATIENCE)
        except subprocess.TimeoutExpired:
            yield "note", f"another process did not read the questions within {PATIENCE} seconds"
            return
        answer = Path(wanted["answer"])  # type: ignore[arg-type]  # it is a text
        found = json.loads(answer.read_text(encoding="utf-8")) if answer.exists() else None
    if found is None:
        last = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        yield "fault", f"another process cannot read the questions: {last or f'it ended with {done.returncode}'}"
    elif found != own:
        place = place_of(type(under.task), "samples")
        how = "sort sets, and make no id of hash()"
        yield "fault", f"in another process, {_of_rows(under, own, found)} differs; {how} ({place})"
    else:
        yield "ok", "in another process, where sets have another order, ids, prompts and labels are the same"


def _difference(first: Sequence[tuple[object, ...]], again: Sequence[tuple[object, ...]]) -> str:
    if len(first) != len(again):
        return f"there are {len(again):,} questions in place of {len(first):,}"
    number, before, after = next((n, a, b) for n, (a, b) in enumerate(zip(first, again, strict=True), start=1) if a != b)
    if sorted(map(repr, first)) == sorted(map(repr, again)):
        return f"the questions have another order: number {number} is {quoted(after[0])} in place of {quoted(before[0])}"
    name, old, new = next((n, a, b) for n, a, b in zip(FIELDS, before, after, strict=True) if a != b)
    return f"the {name} of question {number} is {quoted(new)} in place of {quoted(old)}"


def _of_rows(under: TaskUnderCheck, own: Sequence[Sequence[str]], found: Sequence[Sequence[str]]) -> str:
    if len(own) != len(found):
        return f"the number of questions, {len(found):,} in place of {len(own):,},"
    differing = [n for n, (a, b) in enumerate(zip_longest(own, found)) if list(a) != list(b)]
    place = differing[0]
    name = next(n for n, a, b in zip(FIELDS, own[place], found[place], strict=True) if a != b)
    return f"the {name} of question {under.samples[place].id} (and of {of(len(differing), len(own))} something)"
