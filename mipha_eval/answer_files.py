"""Answer files that other programs made, matched to samples by question, never silently by position."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from mipha_eval.blame import blaming
from mipha_eval.data.jsonl import read_json, read_jsonl, read_lines
from mipha_eval.errors import UserError
from mipha_eval.types import Response, Sample

if TYPE_CHECKING:
    from mipha_eval.task import Task


@dataclass(frozen=True)
class AnswerFile:
    """Responses by sample id, and how many answers were left out because they belong to no question (--subset)."""

    responses: Mapping[str, Response]
    left_out: int = 0


def read_answers(path: Path, task: Task, samples: Sequence[Sample], *, subset: bool = False) -> AnswerFile:
    """Reads LLaVA's answer JSONL or the benchmark's own form.

    A line with ``error`` is a failed response. With `subset`, answers to questions that are not among the samples are
    counted and left out.

    Raises:
        UserError: the file cannot be read, or an answer is given twice, to an unknown question or to another question.
    """
    if not path.exists():
        raise UserError(f"answer file {path} does not exist")
    try:
        with blaming(f"is {path} of {task.name}'s own form?"):
            official = task.official_answers(path, samples)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise UserError(f"{path} is not of {task.name}'s own form: {error!r}") from error
    if official is None and path.is_dir():
        raise UserError(f"{path} is a folder without answer files of {task.name}'s own form; give a JSONL file")
    answers = Answers(str(path), task, samples)
    if official is None:
        answers.add_lines(read_jsonl(path))
    else:
        answers.add_official(official)
    few = task.ignores_foreign_answers and len(answers.foreign) < len(answers.responses)
    if answers.foreign and not (subset or few):
        total = len(answers.foreign) + len(answers.responses)
        raise UserError(
            f"{path}: {len(answers.foreign):,} of {total:,} answers belong to no question of {task.label}, "
            f"first question_id {answers.foreign[0]}; {_other_protocols(task)}"
        )
    return AnswerFile(answers.responses, len(answers.foreign))


class Answers:
    """Collects answers and matches each to its sample or samples."""

    def __init__(self, place: str, task: Task, samples: Sequence[Sample]) -> None:
        self._place, self._task = place, task
        self._samples: dict[Hashable, list[Sample]] = {}
        for sample in samples:
            self._samples.setdefault(_text_key(task.answer_key(sample)), []).append(sample)
        self._times: Counter[Hashable] = Counter()
        self.responses: dict[str, Response] = {}
        self.foreign: list[str] = []

    def add_lines(self, records: Iterable[Mapping[str, Any]]) -> None:
        """Takes the lines of LLaVA's JSONL."""
        for number, record in enumerate(records, start=1):
            place = f"{self._place}: answer {number}"
            try:
                key = _text_key(self._task.record_key(record))
            except KeyError as error:
                raise UserError(f"{place} has no {error}; {self._task.name} reads LLaVA's answer lines") from error
            for sample in self._samples.get(key, ()):
                _check_question(place, self._task, sample, record)
            self._add(place, key, str(record.get("question_id")), _response(place, record))

    def add_official(self, texts: Iterable[tuple[Hashable, str]]) -> None:
        """Takes (key as of `Task.answer_key`, text) pairs of an official result file."""
        for number, (key, text) in enumerate(texts, start=1):
            shown = str(key[0] if isinstance(key, tuple) else key)
            self._add(f"{self._place}: answer {number}", _text_key(key), shown, Response(text, verbatim=True))

    def _add(self, place: str, key: Hashable, shown: str, response: Response) -> None:
        samples = self._samples.get(key)
        if samples is None:
            self.foreign.append(shown)
            return
        self._times[key] += 1
        if self._times[key] > len(samples):  # an id that the benchmark has twice may be answered twice
            raise UserError(f"{place} is a second answer to question_id {shown}; remove one")
        self.responses.update((sample.id, response) for sample in samples)


def _text_key(key: Hashable) -> Hashable:
    """Ids compare as text: some suites write 17, others "17" or 17.0."""
    if isinstance(key, tuple):
        return tuple(map(_text_key, key))
    return str(int(key)) if isinstance(key, float) and key.is_integer() else str(key)


def _check_question(place: str, task: Task, sample: Sample, record: Mapping[str, Any]) -> None:
    prompt = record.get("prompt")
    if isinstance(prompt, str) and not task.is_about(sample, prompt):
        raise UserError(
            f"{place} is to {_first_line(prompt)!r}, but question_id {sample.question_id} of {task.label} is "
            f"{_first_line(sample.question)!r}; {_other_protocols(task)}"
        )


def _first_line(text: str) -> str:
    return text.split("\n", 1)[0]


def _other_protocols(task: Task) -> str:
    known = "; ".join(f"{task.name}@{name}: {line}" for name, line in task.protocols.items())
    return f"are they answers to another release? ({known})"


def _response(place: str, record: Mapping[str, Any]) -> Response:
    if record.get("error"):
        return Response.failure(str(record["error"]))
    text = record.get("text", record.get("prediction"))
    if not isinstance(text, str):
        raise UserError(f"{place} has no text; LLaVA's answer lines have question_id, prompt and text")
    return Response(text)


def json_list_answers(path: Path, key: str, text: str) -> list[tuple[Hashable, str]] | None:
    """(question id, answer) pairs from a JSON list of objects, as VQA's and GQA's scripts take it; None for other files."""
    if path.suffix != ".json":
        return None
    stored = read_json(path)
    if not isinstance(stored, list):
        return None
    pairs = []
    for number, record in enumerate(stored, start=1):
        if not isinstance(record, dict) or key not in record or not isinstance(record.get(text), str):
            raise UserError(f"{path}: entry {number} needs {key} and {text}")
        pairs.append((record[key], record[text]))
    return pairs


def json_object_answers(path: Path) -> dict[str, str] | None:
    """Answers by id from a JSON object, as MM-Vet's script takes it; None for files that are not JSON."""
    if path.suffix != ".json":
        return None
    stored: dict[str, str] = read_json(path)
    wrong = [name for name, text in stored.items() if not isinstance(text, str)]
    if wrong:
        raise UserError(f"{path}: the answer to {wrong[0]} is no text")
    return stored


def files_by_name(path: Path, names: Mapping[str, str], fits: Callable[[Mapping[str, Any]], bool]) -> dict[str, Path]:
    """JSON-lines files in a folder, or a single one, by what their names say; empty if none is of the form.

    Args:
        names: category -> regular expression for file names, case ignored.
        fits: whether the first record of a file is of the form.

    Raises:
        UserError: two files hold the same category, or one of the form has a name that says none.
    """
    files: dict[str, Path] = {}
    for file in sorted(path.iterdir()) if path.is_dir() else [path]:
        if not file.is_file() or file.suffix not in (".json", ".jsonl", ".txt") or not _first_fits(file, fits):
            continue
        name = next((name for name, pattern in names.items() if re.search(pattern, file.name, re.IGNORECASE)), None)
        if name is None:
            raise UserError(f"{file} is an answer file whose name says none of {', '.join(names)}; rename it")
        if name in files:
            raise UserError(f"both {files[name]} and {file} hold {name} answers; remove one")
        files[name] = file
    return files


def _first_fits(file: Path, fits: Callable[[Mapping[str, Any]], bool]) -> bool:
    line = next((line for line in read_lines(file) if line.strip()), "")
    try:
        record = json.loads(line)
    except ValueError:
        return False
    return isinstance(record, dict) and fits(record)


def positional_answers(task: Task, files: Mapping[str, Path], samples: Sequence[Sample]) -> list[tuple[Hashable, str]]:
    """(answer key, text) pairs from ``{"question", "answer"}`` lines in a category's order, every question compared."""
    answers = []
    for category, file in files.items():
        asked = [sample for sample in samples if sample.category == category]
        records = list(read_jsonl(file))
        if len(records) > len(asked):
            raise UserError(
                f"{file} has {len(records):,} answers, {task.label} asks {len(asked):,} {category} questions; "
                f"{_other_protocols(task)}"
            )
        for number, (sample, record) in enumerate(zip(asked, records, strict=False), start=1):
            place = f"{file}: answer {number}"
            _check_question(place, task, sample, {"prompt": str(record.get("question", ""))})
            answers.append((task.answer_key(sample), _response(place, {"text": record.get("answer")}).text))
    return answers


def tab_separated_answers(
    folder: Path, keys: Mapping[tuple[str, str, str], Hashable], plain: Callable[[str], str]
) -> list[tuple[Hashable, str]]:
    """(answer key, text) pairs from ``image TAB question TAB label TAB answer`` lines, a text file a category.

    Args:
        keys: (category, image name without ending, plain question) -> answer key.
    """
    answers = []
    names = {name for name, _, _ in keys}
    for file in sorted(file for file in folder.glob("*.txt") if file.stem in names):
        for number, line in enumerate(read_lines(file), start=1):
            fields = line.split("\t")
            if len(fields) != 4:
                raise UserError(
                    f"{file}:{number} has {len(fields)} tab-separated fields; image, question, label, answer are 4"
                )
            image, question, _, answer = fields
            key = keys.get((file.stem, PurePosixPath(image).stem, plain(question)))
            if key is None:
                raise UserError(f"{file}:{number} answers an unknown question: {image} {question!r}")
            answers.append((key, answer))
    if not answers:
        raise UserError(f"{folder} has no .txt files with answers; MME's result folder has 14")
    return answers
