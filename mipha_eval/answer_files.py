"""Answer files that other programs made, matched to samples by question, never silently by position."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from mipha_eval.data.jsonl import read_jsonl
from mipha_eval.errors import UserError
from mipha_eval.types import Response, Sample

if TYPE_CHECKING:
    from mipha_eval.task import Task


def read_answers(path: Path, task: Task, samples: Sequence[Sample]) -> dict[str, Response]:
    """Reads LLaVA's answer JSONL or the benchmark's own form.

    Returns:
        Sample id -> response, for the samples that have one; a line with ``error`` is a failed response.

    Raises:
        UserError: the file cannot be read, or an answer is given twice, to an unknown question or to another question.
    """
    if not path.exists():
        raise UserError(f"answer file {path} does not exist")
    official = task.official_answers(path, samples)
    if official is not None:
        return {sample: Response(text) for sample, text in official.items()}
    if path.is_dir():
        raise UserError(f"{path} is a folder without answer files of {task.name}'s own form; give a JSONL file")
    return _keyed_answers(path, task, samples)


def _keyed_answers(path: Path, task: Task, samples: Sequence[Sample]) -> dict[str, Response]:
    by_key = {_text_key(task.answer_key(sample)): sample for sample in samples}
    answers: dict[str, Response] = {}
    foreign: list[str] = []
    for number, record in enumerate(read_jsonl(path), start=1):
        place = f"{path}: answer {number}"
        try:
            sample = by_key.get(_text_key(task.record_key(record)))
        except KeyError as error:
            raise UserError(f"{place} has no {error}; {task.name} reads LLaVA's answer lines") from error
        if sample is None:
            foreign.append(str(record["question_id"]))
        elif sample.id in answers:
            raise UserError(f"{place} is a second answer to question_id {record['question_id']}; remove one")
        else:
            _check_question(place, task, sample, record)
            answers[sample.id] = _response(place, record)
    if foreign:
        raise UserError(
            f"{path}: {len(foreign):,} of {len(foreign) + len(answers):,} answers belong to no question of {task.label}, "
            f"first question_id {foreign[0]}; {_other_protocols(task)}"
        )
    return answers


def _text_key(key: Hashable) -> Hashable:
    """Ids compare as text: some suites write 17, others "17"."""
    return tuple(map(str, key)) if isinstance(key, tuple) else str(key)


def _check_question(place: str, task: Task, sample: Sample, record: Mapping[str, Any]) -> None:
    prompt = record.get("prompt")
    if isinstance(prompt, str) and not task.is_about(sample, prompt):
        raise UserError(
            f"{place} is to {prompt.splitlines()[0]!r}, but question_id {sample.question_id} of {task.label} is "
            f"{sample.question.splitlines()[0]!r}; {_other_protocols(task)}"
        )


def _other_protocols(task: Task) -> str:
    known = "; ".join(f"{task.name}@{name}: {line}" for name, line in task.protocols.items())
    return f"are they answers to another release? ({known})"


def _response(place: str, record: Mapping[str, Any]) -> Response:
    if record.get("error"):
        return Response.failure(str(record["error"]))
    text = record.get("text")
    if not isinstance(text, str):
        raise UserError(f"{place} has no text; LLaVA's answer lines have question_id, prompt and text")
    return Response(text)


def files_by_name(path: Path, names: Sequence[str], fits: Callable[[Mapping[str, Any]], bool]) -> dict[str, Path]:
    """JSONL files whose names contain one of `names` and whose first record fits; empty if there are none.

    `path` is such a file, or a folder with such files.
    """
    files: dict[str, Path] = {}
    for file in sorted(path.iterdir()) if path.is_dir() else [path]:
        name = next((name for name in names if name in file.name), None)
        if name is None or not file.is_file() or file.suffix not in (".json", ".jsonl"):
            continue
        first = next(iter(read_jsonl(file)), None)
        if first is None or not fits(first):
            continue
        if name in files:
            raise UserError(f"both {files[name]} and {file} hold {name} answers; remove one")
        files[name] = file
    return files


def positional_answers(task: Task, files: Mapping[str, Path], samples: Sequence[Sample]) -> dict[str, str]:
    """Answers from ``{"question", "answer"}`` lines in the order of a category's questions, each question checked."""
    answers = {}
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
            answers[sample.id] = _response(place, {"text": record.get("answer")}).text
    return answers


def tab_separated_answers(
    folder: Path, keys: Mapping[tuple[str, str, str], str], plain: Callable[[str], str]
) -> dict[str, str]:
    """Answers from ``image TAB question TAB label TAB answer`` lines, a text file a category (MME's result folder).

    Args:
        keys: (category, image name without ending, plain question) -> sample id.
    """
    answers: dict[str, str] = {}
    for file in sorted(folder.glob("*.txt")):
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
            fields = line.split("\t")
            if len(fields) != 4:
                raise UserError(
                    f"{file}:{number} has {len(fields)} tab-separated fields, not 4: image, question, label, answer"
                )
            image, question, _, answer = fields
            sample = keys.get((file.stem, PurePosixPath(image).stem, plain(question)))
            if sample is None:
                raise UserError(f"{file}:{number} answers an unknown question: {image} {question!r}")
            if sample in answers:
                raise UserError(f"{file}:{number} is a second answer to {image} {question!r}; remove one")
            answers[sample] = answer
    if not answers:
        raise UserError(f"{folder} has no .txt files with answers; MME's result folder has 14")
    return answers
