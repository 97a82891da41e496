"""Answer files that other programs made, matched to samples by question, never silently by position."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from mipha_eval.core.answer_line import OfficialAnswer
from mipha_eval.core.errors import UserError
from mipha_eval.core.files import parse_json, read_json
from mipha_eval.core.json_value import JsonObject
from mipha_eval.core.plugins.blame import blaming
from mipha_eval.core.plugins.checks.questions import official_of
from mipha_eval.core.task import Task
from mipha_eval.core.types import Response, Sample
from mipha_eval.data.jsonl import begins_with, read_jsonl, read_lines
from mipha_eval.data.rows import entries, tab_separated
from mipha_eval.data.suite_files.recognise import FIRST, LAST, recognise
from mipha_eval.data.table import Cells, indexed_rows
from mipha_eval.scoring.conversion import tell_conversion
from mipha_eval.scoring.given_answers import GivenAnswers
from mipha_eval.scoring.matching import ESCAPES, Answers, check_question, other_protocols

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class AnswerFile:
    """Responses by sample id, and what weakens their score.

    Attributes:
        left_out: answers that belong to no question (--subset).
        unverified: answers of which nothing but an id that other sets have, too, says what they are to.
        undecoded: answers with bytes that are not UTF-8, so that nobody knows some of their letters.
    """

    responses: Mapping[str, Response]
    left_out: int = 0
    unverified: int = 0
    undecoded: int = 0


@dataclass(frozen=True)
class Taken:
    """How the answers of a file are taken.

    Attributes:
        subset: answers to questions that are not asked are counted and left out.
        convert: an upload's answers are a model's words, which the task converts.
    """

    subset: bool = False
    convert: bool = False


#: as they stand, each of them
AS_GIVEN = Taken()


def read_answers(path: Path, task: Task, samples: Sequence[Sample], taken: Taken = AS_GIVEN) -> AnswerFile:
    """Reads LLaVA's answer JSONL, or its lines as a JSON list, or the benchmark's own form.

    A line with ``error`` is a failed response.

    Raises:
        UserError: the task converts nothing, the file cannot be read, or an answer is given twice, to an unknown question or
            to another question.
    """
    if not path.exists():
        raise UserError(f"answer file {path} does not exist")
    if taken.convert and type(task).converted is Task.converted:
        raise UserError(f"{task.name}'s script converts no answers", flag="--convert")
    answers, verbatim = _matched(path, task, samples)
    responses: Mapping[str, Response] = answers.responses
    if taken.convert and verbatim:
        responses, verbatim = {key: replace(one, verbatim=False) for key, one in responses.items()}, False
    few = task.ignores_foreign_answers and len(answers.foreign) < len(answers.responses)
    if answers.foreign and not (taken.subset or few):
        total = len(answers.foreign) + len(answers.responses)
        raise UserError(
            f"{path}: {len(answers.foreign):,} of {total:,} answers belong to no question of {task.label}, "
            f"first question_id {answers.foreign[0]}; {other_protocols(task)}"
        )
    if isinstance(answers, GivenAnswers):
        logger.info("%s: %s, %s answers", path, answers.form, f"{answers.count:,}")
    tell_conversion(path, task, samples, responses, verbatim=verbatim)
    undecoded = sum(bool(ESCAPES.search(response.text)) for response in responses.values())
    return AnswerFile(responses, len(answers.foreign), answers.unverified, undecoded)


def _matched(path: Path, task: Task, samples: Sequence[Sample]) -> tuple[Answers | GivenAnswers, bool | None]:
    """Answers of whatever form, matched: of a suite's that no benchmark has, of the benchmark's own, of a suite's, or lines.

    Returns:
        The answers, and whether they are an upload's, which nothing converts any more; None for LLaVA's lines.
    """
    given = recognise(path, FIRST)
    official = None if given else _official(path, task, samples)
    if official is None and given is None:
        given = recognise(path, LAST)
    if given is not None:
        found = GivenAnswers(str(path), task, samples)
        found.add(given)
        return found, False
    answers = Answers(str(path), task, samples)
    if official is not None:
        answers.add_official(official)
    elif path.is_dir():
        raise UserError(f"{path} is a folder without answer files of {task.name}'s own form; give a JSONL file")
    else:
        answers.add_lines(read_records(path))
    return answers, True if official is not None else None


def _official(path: Path, task: Task, samples: Sequence[Sample]) -> list[OfficialAnswer] | None:
    try:
        with blaming(f"is {path} of {task.name}'s own form?"):
            found = task.official_answers(path, samples)
            return None if found is None else official_of(task, found)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise UserError(f"{path} is not of {task.name}'s own form: {error!r}") from error


def read_records(path: Path) -> Iterator[JsonObject]:
    """The objects of a JSON-lines file, or of a JSON list, whatever the file is called."""
    if not begins_with(path, "["):
        yield from read_jsonl(path, escapes=True)
        return
    yield from (record for _, record in entries(path, read_json(path, escapes=True)))


def json_list_answers(path: Path, key: str, text: str) -> list[OfficialAnswer] | None:
    """Answers from a JSON list of objects, as VQA's and GQA's scripts take it; None for other files.

    Args:
        key: what holds the question id.
        text: what holds the answer.
    """
    if path.is_dir() or not begins_with(path, "["):
        return None
    stored = read_json(path, escapes=True)
    if not isinstance(stored, list) or (stored and isinstance(stored[0], dict) and "text" in stored[0]):
        return None
    answers = []
    for place, record in entries(path, stored):
        answer, asked = record.get(text), record.get("question")
        if key not in record or not isinstance(answer, str):
            raise UserError(f"{place} needs {key} and {text}")
        answers.append(OfficialAnswer(record[key], answer, asked if isinstance(asked, str) else ""))
    return answers


def json_object_answers(path: Path) -> dict[str, str] | None:
    """Answers by id from a JSON object, as MM-Vet's script takes it; None for other files."""
    if path.is_dir() or begins_with(path, "["):
        return None
    if path.suffix != ".json" and not begins_with(path, "{"):
        return None
    try:
        stored = read_json(path, escapes=True)
    except UserError:
        if path.suffix == ".json":
            raise
        return None
    if not isinstance(stored, dict):
        raise UserError(f"{path} is not a JSON object")
    if path.suffix != ".json" and not all(isinstance(text, str) for text in stored.values()):
        return None  # a single line
    texts = {name: text for name, text in stored.items() if isinstance(text, str)}
    wrong = [name for name in stored if name not in texts]
    if wrong:
        raise UserError(f"{path}: the answer to {wrong[0]} is no text")
    return texts


def files_by_name(path: Path, names: Mapping[str, str], fits: Callable[[JsonObject], bool]) -> dict[str, Path]:
    """JSON-lines files in a folder, or a single one, by what their names say; empty if none is of the form.

    Args:
        names: category -> regular expression for file names, case ignored.
        fits: whether the first record of a file is of the form.

    Raises:
        UserError: two files hold the same category, or one of the form has a name that says none.
    """
    files: dict[str, Path] = {}
    for file in sorted(path.iterdir()) if path.is_dir() else [path]:
        if not file.is_file() or not {".json", ".jsonl", ".txt"} & {*file.suffixes} or not _first_fits(file, fits):
            continue
        name = next((name for name, pattern in names.items() if re.search(pattern, file.name, re.IGNORECASE)), None)
        if name is None:
            raise UserError(f"{file} is an answer file whose name says none of {', '.join(names)}; rename it")
        if name in files:
            raise UserError(f"both {files[name]} and {file} hold {name} answers; remove one")
        files[name] = file
    return files


def _first_fits(file: Path, fits: Callable[[JsonObject], bool]) -> bool:
    line = next((line for line in read_lines(file, escapes=True) if line.strip()), "")
    try:
        record = parse_json(line)
    except ValueError:
        return False
    return isinstance(record, dict) and fits(record)


def positional_answers(task: Task, files: Mapping[str, Path], samples: Sequence[Sample]) -> list[OfficialAnswer]:
    """Answers from ``{"question", "answer"}`` lines in a category's order, every question compared."""
    answers = []
    for category, file in files.items():
        asked = [sample for sample in samples if sample.category == category]
        records = list(read_jsonl(file, escapes=True))
        if len(records) > len(asked):
            raise UserError(
                f"{file} has {len(records):,} answers, {task.label} asks {len(asked):,} {category} questions; "
                f"{other_protocols(task)}"
            )
        for number, (sample, record) in enumerate(zip(asked, records, strict=False), start=1):
            place = f"{file}: answer {number}"
            text = record.get("answer")
            verified = check_question(place, task, sample, str(record.get("question", "")))
            if not isinstance(text, str):
                raise UserError(f"{place} has no text; POPE's answer lines have question and answer")
            answers.append(OfficialAnswer(task.answer_key(sample), text, verified=verified))
    return answers


def table_answers(path: Path, asked: Callable[[Cells], str]) -> list[OfficialAnswer]:
    """Answers from a table with ``index`` and ``prediction``, as VLMEvalKit and MMBench's server take it.

    Args:
        asked: what a row shows of its question.
    """
    rows = indexed_rows(path, "prediction")
    shown = [asked(cells) if cells.get("question") else "" for _, cells in rows]
    # the official script turns a missing prediction into the text "nan"
    return [OfficialAnswer(row[0], row[1]["prediction"] or "nan", text) for row, text in zip(rows, shown, strict=True)]


def tab_separated_answers(
    folder: Path, known: Mapping[tuple[str, str, str], tuple[Hashable, str]], plain: Callable[[str], str]
) -> list[OfficialAnswer]:
    """Answers from ``image TAB question TAB label TAB answer`` lines, a text file a category.

    Args:
        known: (category, image name without ending, plain question) -> answer key and label.

    Raises:
        UserError: a line is of another form, answers an unknown question, or has another label, by which the official
            script would score it.
    """
    answers = []
    names = {name for name, _, _ in known}
    for file in sorted(file for file in folder.glob("*.txt") if file.stem in names):
        for place, (image, question, label, answer) in tab_separated(
            file, "image", "question", "label", "answer", escapes=True
        ):
            key, truth = known.get((file.stem, PurePosixPath(image).stem, plain(question)), (None, ""))
            if key is None:
                raise UserError(f"{place} answers an unknown question: {image} {question!r}")
            if label.lower() != truth.lower():
                raise UserError(f"{place} has label {label!r}, but that of {image} {question!r} is {truth!r}")
            answers.append(OfficialAnswer(key, answer, verified=True))
    if not answers:
        raise UserError(f"{folder} has no .txt files with answers; MME's result folder has 14")
    return answers
