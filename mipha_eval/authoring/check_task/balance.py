"""How labels are distributed, and what always the commonest of its type gets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from mipha_eval.authoring.check_task.answers import outcome, saying
from mipha_eval.authoring.check_task.point import Said, cut, quoted
from mipha_eval.authoring.check_task.under_check import TaskUnderCheck
from mipha_eval.core.plugins.checks.questions import choices_of
from mipha_eval.core.types import Response, Sample
from mipha_eval.scoring.floors.labels import Labels, labels_of

BEYOND = 0.1  # the share of a label beyond its fair one that is worth a note
SHOWN = 4


def labels_are_balanced(under: TaskUnderCheck) -> Iterator[Said]:
    """The labels' distribution, and the floor that a model has to leave behind."""
    if under.together:
        yield "ok", "every reference is a text of its own, so that there are no labels to balance"
        return
    counts = Counter(labels_of(under.task, sample)[0] for sample in under.tried)
    possible = {text for sample in under.tried for text in choices_of(under.task, sample)}
    total = len(under.tried)
    listed = ", ".join(f"{cut(text)} {count / total:.0%}" for text, count in counts.most_common(SHOWN))
    more = f" and {len(counts) - SHOWN:,} more" if len(counts) > SHOWN else ""
    told = f"labels: {listed}{more}"
    if not under.awaits_judge:
        told += f"; {_floor(under)}, which is the floor"
    (common, most), fair = counts.most_common(1)[0], _fair_share(under, possible)
    if fair and most / total > fair + BEYOND:
        yield (
            "note",
            f"{told}; {quoted(common)} is more frequent than the {fair:.0%} that are its share: say so beside results",
        )
    else:
        yield "ok", told


def _floor(under: TaskUnderCheck) -> str:
    """The best of one answer to every question, and of one to every question of a type."""
    labels = Labels(under.task, under.tried, own=True)
    found = {"always the best constant of its type": {each.id: _best(under, labels, each) for each in under.tried}}
    outcomes = {name: outcome(under.task, under.tried, answers) for name, answers in found.items()}
    outcomes |= {f"always {quoted(text)}": each for text, each in under.constants.items()}
    best = max(outcomes, key=lambda name: outcomes[name].value or 0.0)
    return f"{best} gets {outcomes[best].text}"


def _best(under: TaskUnderCheck, labels: Labels, sample: Sample) -> Response:
    return saying(under.task, sample, labels.best(sample) or "")


def _fair_share(under: TaskUnderCheck, possible: set[str]) -> float:
    """The share of each label if all were as frequent; 0 where any text may be one."""
    if not possible:
        return 0.0
    options = [len(choices_of(under.task, sample)) for sample in under.tried]
    return sum(1 / count for count in options if count) / len(options)
