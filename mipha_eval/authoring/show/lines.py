"""A task and its questions as lines for people. What comes from outside never acts on a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from mipha_eval.authoring.show.facts import LabelReading, Shown
from mipha_eval.core.alphabet import LETTERS
from mipha_eval.core.json_value import Json
from mipha_eval.core.metrics import Metric
from mipha_eval.core.printable import printable
from mipha_eval.core.types import Sample

UNSAID = "not said"


def task_lines(shown: Shown) -> Iterator[str]:
    """What the task says of itself."""
    facts = {**shown.facts, "headline": _headline(shown.metrics[0]), "size": "; ".join(_size(shown))}
    for key in ("unit", "bounds"):
        facts.pop(key)
    for key in ("licence", "citation"):
        facts[key] = facts[key] or UNSAID
    for key, value in facts.items():
        yield from entry_lines(key, value)


def entry_lines(key: str, value: Json) -> Iterator[str]:
    """A value behind its name; those of a mapping a line each."""
    if isinstance(value, Mapping):
        yield f"{key}:"
        yield from (f"  {line}" for name, inner in value.items() for line in _folded(name, str(inner)))
    else:
        listed = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
        yield from _folded(key, ", ".join(map(str, listed)))


def _folded(name: str, text: str) -> list[str]:
    """The lines of a text, of which the first bears its name."""
    return [printable(line) for line in f"{name}: {text}".split("\n")]


def _headline(metric: Metric) -> str:
    low, high = metric.range
    return f"{metric.name} ({metric.unit}, {low:g} to {high:g})"


def _size(shown: Shown) -> Iterator[str]:
    if shown.questions is not None:
        yield f"{shown.questions:,} questions about {shown.pictures:,} pictures here"
    for protocol, counts in shown.task.rows.items():
        yield f"{protocol} as released: {' or '.join(f'{count:,}' for count in counts)} rows"
    if shown.questions is None and not shown.task.rows:
        yield UNSAID


def sample_lines(sample: Sample, reading: LabelReading | None) -> Iterator[str]:
    """What is known of a question, but for its pictures."""
    yield f"  id: {printable(sample.id)}"
    if sample.category:
        yield f"  category: {printable(sample.category)}"
    yield "  prompt:"
    yield from (f"    {printable(line)}" for line in sample.prompt.split("\n"))
    options = dict(zip(LETTERS, sample.choices, strict=False))
    reference = [f"{answer!r} ({options[answer]!r})" if options.get(answer) else repr(answer) for answer in sample.target]
    yield f"  reference: {' or '.join(reference) or 'not public'}"
    if reading is not None:
        yield f"  reading {printable(reading.text)}"
