"""A task's questions, read and looked at before anything else is done with them."""

from __future__ import annotations

import contextlib
import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from mipha_eval.core.errors import PluginError, RowError, UserError
from mipha_eval.core.format_lines import question_core
from mipha_eval.core.plugins.blame import blaming, foreign_parts, is_foreign, place_of, plugin_name, told
from mipha_eval.core.plugins.checks.questions import wrong_category, wrong_sample
from mipha_eval.core.plugins.checks.refusal import shown
from mipha_eval.core.printable import printable
from mipha_eval.core.task import Task
from mipha_eval.core.types import Sample

#: questions of a task; the largest benchmark, all of VQAv2, has 1.1 million
MOST_QUESTIONS = 3_000_000

#: methods in which an author says what the questions are
SOURCES = ("samples", "questions")


def read_questions(task: Task) -> list[Sample]:
    """All questions as they stand in the files: ids may occur twice.

    Raises:
        MissingDataError: the files are not there.
        UserError: there are no questions, or the files are not in the benchmark's form.
    """
    with naming_the_data(task):
        samples = list(itertools.islice(_given(task), MOST_QUESTIONS + 1))
    if not samples:
        raise _no_questions(task)
    if len(samples) > MOST_QUESTIONS:
        raise _wrong_data(task, f"there are more than {MOST_QUESTIONS:,} questions; does samples() come to an end?")
    wrong = next(filter(None, map(wrong_sample, samples)), "")
    if wrong:
        raise _wrong_data(task, wrong)
    return samples


def read_samples(task: Task) -> list[Sample]:
    """All questions of a task.

    Raises:
        UserError: there are none, two have the same id, or the files are not in the benchmark's form.
    """
    samples = read_questions(task)
    wrong = wrong_category(samples)
    if wrong:
        raise _wrong_data(task, wrong)
    twice = [name for name, count in Counter(sample.id for sample in samples).items() if count > 1]
    if twice and is_foreign(type(task)):
        raise _wrong_data(
            task, f"ids must be unique; {len(twice)} are given to several questions, first {printable(twice[0])[:80]}"
        )
    if twice:
        raise UserError(f"{task.label}: {task.data} has {len(twice)} questions twice, first {twice[0]}")
    return samples


def _wrong_data(task: Task, wrong: str) -> UserError:
    """Questions that are none: a bundled task makes them so of files that are not in the benchmark's form."""
    if is_foreign(type(task)):
        return PluginError(f"plugin {plugin_name(type(task).__module__)}: {wrong} ({_place(task)})")
    return UserError(f"{task.label}, {task.data}: {wrong}")


def _place(task: Task) -> str:
    """Where a plugin's author says what the questions are: of some in a method of their own."""
    own = next((name for name in SOURCES if any(name in vars(part) for part in foreign_parts(type(task)))), SOURCES[0])
    return place_of(type(task), own)


def _given(task: Task) -> Iterable[Sample]:
    """What a task gives as its questions."""
    given = task.samples()
    if not isinstance(given, Iterable):
        raise _wrong_data(task, f"samples must yield Sample objects, or return a list of them, and gave {shown(given)}")
    return given


def _no_questions(task: Task) -> UserError:
    if is_foreign(type(task)):
        return PluginError(f"{task.label} has no questions in {task.data} ({_place(task)})")
    return UserError(f"{task.label} has no questions in {task.data}")


def first_questions(task: Task, count: int) -> list[Sample]:
    """The first questions, looked at as all are. Raises UserError for one that is none."""
    with naming_the_data(task):
        samples = list(itertools.islice(_given(task), count))
    wrong = next(filter(None, map(wrong_sample, samples)), "")
    if wrong:
        raise _wrong_data(task, wrong)
    return samples


def has_samples(task: Task) -> None:
    """Reads the first question; raises UserError if there is none or it has no text."""
    first = first_questions(task, 1)
    if not first:
        raise _no_questions(task)
    check_texts(task, first)


def check_texts(task: Task, samples: Sequence[Sample]) -> None:
    """Raises UserError if a question has no text, so that it could be scored but not asked."""
    if all(question_core(sample.prompt) for sample in samples):
        return
    if is_foreign(type(task)):
        empty = next(sample.id for sample in samples if not question_core(sample.prompt))
        raise _wrong_data(task, f"the prompt of question {printable(empty)[:80]} has no text, or a format line alone")
    raise UserError(f"{task.label}: questions in {task.data} have no text; is the question file beside the annotations?")


@contextlib.contextmanager
def naming_the_data(task: Task) -> Iterator[None]:
    """Turns what unexpected rows lead to into a UserError that names task and data, and a plugin's file and line."""
    try:
        with blaming(f"are the files in {task.data} in the form that {task.label} expects?"):
            yield
    except RowError as error:
        kind = PluginError if is_foreign(type(task)) else UserError
        raise kind(f"{task.label}: {error}") from error
    except (AttributeError, KeyError, ValueError, TypeError, IndexError) as error:
        if is_foreign(type(task)):
            raise _wrong_data(task, f"what it gives as questions cannot be used: {told(error)}") from error
        raise UserError(f"{task.label}: the files in {task.data} are not in the expected form: {error!r}") from error
