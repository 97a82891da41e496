"""Inspect's logs, an ``.eval`` file a task: a zip with a header, a file a sample, and a summary of each for its viewer.

By UKGovernmentBEIS/inspect_ai at 499e615, ``log/_log.py`` and ``log/_recorders/eval.py``, version 2 of the form. A failed
request is a sample with an error. Scores are those of the run, by a scorer that is called ``mipha-eval``. Pictures stand in
a log where they are small; else it refers to their files.
"""

from __future__ import annotations

import base64
import hashlib
import io
import zipfile
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import PurePosixPath

from mipha_eval.core.json_line import to_json
from mipha_eval.core.json_value import Json, JsonObject
from mipha_eval.core.task import UNGRADED
from mipha_eval.core.types import Image, Response, Sample
from mipha_eval.suites.write.answered import AnsweredTask, RunFacts, SuiteFile, Written, encodable, left_out

SCORER = "mipha-eval"
VERSION = 2
#: a run's word for how an answer ended -> Inspect's
STOPS = {"stop": "stop", "length": "max_tokens"}
#: how the files of pictures begin, behind as many letters -> what they are
PICTURES = ((0, b"\x89PNG", "png"), (0, b"\xff\xd8\xff", "jpeg"), (0, b"GIF8", "gif"), (8, b"WEBP", "webp"))
LONGEST_SUMMARY = 1024  # characters that a summary has of a text


def refusal(task: AnsweredTask) -> str:
    """Why the suite has no form for a task: it has one for any that asks something."""
    return "" if task.samples else "it has no questions"


def write(run: RunFacts, tasks: Sequence[AnsweredTask]) -> Iterator[Written]:
    """The logs of a run, below Inspect's ``--log-dir``."""
    for task in tasks:
        name = f"{_created(run).replace(':', '-')}_{_plain(task.label)}_{_digest(run.identity, task.label)}.eval"
        file = SuiteFile(f"{run.file_name}/{name}", _log(run, task))
        yield Written(task.label, (file,), left_out(task, failures=False))


def _plain(label: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "-." else "-" for letter in label)


def _created(run: RunFacts) -> str:
    """When the run began, as Inspect writes times."""
    begun = datetime.fromisoformat(run.started) if run.started else datetime.fromisoformat("1970-01-01T00:00:00+00:00")
    return begun.isoformat(timespec="seconds")


def _digest(*parts: str) -> str:
    """An id as long as Inspect's, which are drawn; the same whenever the same run is written."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:22]


def _log(run: RunFacts, task: AnsweredTask) -> bytes:
    """The whole file."""
    answers = sorted([*task.answered, *task.failed], key=lambda each: each[0])
    head = {"version": VERSION, "eval": _spec(run, task), "plan": _plan()}
    stats = {"started_at": _created(run), "completed_at": _created(run), "model_usage": {}}
    file = io.BytesIO()
    when = datetime.fromisoformat(_created(run)).timetuple()[:6] if run.started else (1980, 1, 1, 0, 0, 0)

    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as log:

        def add(name: str, value: object) -> None:
            entry = zipfile.ZipInfo(name, when)
            entry.compress_type = zipfile.ZIP_DEFLATED
            log.writestr(entry, to_json(value))

        add("_journal/start.json", head)
        for place, sample, response in answers:
            name = sample_name(place, sample)
            add(f"samples/{name}_epoch_1.json", _sample(run, task, name, (sample, response)))
        add("summaries.json", [_summary(task, sample_name(place, sample), sample, each) for place, sample, each in answers])
        add("header.json", {**head, "status": "success", "results": _results(task), "stats": stats})
    return file.getvalue()


def sample_name(place: int, sample: Sample) -> str:
    """A sample's id; a place in the benchmark where that would lead out of the folder that a log is unpacked into."""
    path = PurePosixPath(sample.id.replace("\\", "/"))
    return f"question {place}" if path.is_absolute() or ".." in path.parts else encodable(sample.id)


def _spec(run: RunFacts, task: AnsweredTask) -> JsonObject:
    """What was evaluated."""
    options: dict[str, Json] = dict(run.options)
    packages: dict[str, Json] = {**run.packages, "mipha_eval": run.version}
    return {
        "eval_id": _digest("eval", run.identity, task.label),
        "run_id": _digest("run", run.identity),
        "created": _created(run),
        "task": task.label,
        "task_id": _digest(run.identity, task.label),
        "task_version": task.version,
        "dataset": {"name": task.label, "location": run.data, "samples": len(task.samples), "shuffled": False},
        "model": run.model,
        "model_args": options,
        "config": {"limit": run.limit, "epochs": 1},
        "packages": packages,
        "tags": list(task.marks),
        "metadata": {"marks": list(task.marks), "questions": task.total, "judge": task.judge},
        "scorers": [{"name": SCORER}],
    }


def _plan() -> JsonObject:
    return {"name": "plan", "steps": [{"solver": "generate", "params": {}}], "config": {}}


def _results(task: AnsweredTask) -> JsonObject:
    """The numbers of the run."""
    metrics: dict[str, Json] = {name: {"name": name, "value": value, "params": {}} for name, value in task.metrics.items()}
    scored = sum(_score(task, sample) is not None for _, sample, _ in task.answered)
    return {
        "total_samples": len(task.samples),
        "completed_samples": len(task.answered),
        "scores": [
            {
                "name": SCORER,
                "scorer": SCORER,
                "scored_samples": scored,
                "unscored_samples": len(task.samples) - scored,
                "params": {},
                "metrics": metrics,
            }
        ],
    }


def _sample(run: RunFacts, task: AnsweredTask, name: str, answer: tuple[Sample, Response]) -> JsonObject:
    """A question with its answer."""
    sample, response = answer
    asked: list[Json] = [{"role": "user", "source": "input", "content": [*map(_image, sample.images), _text(sample.prompt)]}]
    # as a list, since a plain text is searched for marks of a model's thoughts, which would then stand elsewhere
    said: JsonObject = {"role": "assistant", "source": "generate", "content": [_text(response.text)], "model": run.model}
    choice: JsonObject = {"message": said, "stop_reason": STOPS.get(response.finish, "unknown")}
    failed: JsonObject = {"error": {"message": encodable(response.error), "traceback": "", "traceback_ansi": ""}}
    return {
        "id": name,
        "epoch": 1,
        "input": asked,
        "choices": [encodable(choice) for choice in sample.choices] or None,
        "target": _target(sample),
        "messages": asked if response.error else [*asked, said],
        "output": {
            "model": run.model,
            "choices": [] if response.error else [choice],
            "completion": encodable(response.text),
            "usage": {"input_tokens": 0, "output_tokens": response.tokens, "total_tokens": response.tokens},
        },
        "scores": _scores(task, sample, response),
        "metadata": _metadata(sample, response),
        "store": {},
        "events": [],
        "model_usage": {},
        "attachments": {},
        **(failed if response.error else {}),
    }


def _summary(task: AnsweredTask, name: str, sample: Sample, response: Response) -> JsonObject:
    """What the viewer lists before a sample is opened."""
    failed: JsonObject = {"error": encodable(response.error)[:LONGEST_SUMMARY]} if response.error else {}
    return {
        "id": name,
        "epoch": 1,
        "input": encodable(sample.prompt)[:LONGEST_SUMMARY],
        "target": _target(sample),
        "metadata": {},
        "scores": _scores(task, sample, response),
        "model_usage": {},
        "completed": True,
        "message_count": 1 if response.error else 2,
        **failed,
    }


def _target(sample: Sample) -> Json:
    accepted = [encodable(text) for text in sample.target]
    return accepted[0] if len(accepted) == 1 else accepted or ""


def _score(task: AnsweredTask, sample: Sample) -> JsonObject | None:
    """How an answer was read; None where nobody graded it or the labels are not public."""
    score = task.scores.get(sample.id)
    if score is None or score.rule in UNGRADED or not sample.target:
        return None
    return {
        "value": score.value,
        "answer": encodable(score.reading),
        "metadata": {"rule": score.rule, "parsed": score.parsed, "category": score.category},
    }


def _scores(task: AnsweredTask, sample: Sample, response: Response) -> Json:
    found = None if response.error else _score(task, sample)
    return {} if found is None else {SCORER: found}


def _metadata(sample: Sample, response: Response) -> JsonObject:
    """What the form has no other place for."""
    known: dict[str, Json] = {"question_id": str(sample.question_id), "images": [image.name for image in sample.images]}
    seldom = {"category": sample.category, "group": sample.group, "tags": list(sample.tags)}
    ranked: Json = list(response.likelihoods)
    return {**known, **{key: each for key, each in seldom.items() if each}, **({"likelihoods": ranked} if ranked else {})}


def _text(text: str) -> JsonObject:
    return {"type": "text", "text": encodable(text)}


def _image(image: Image) -> JsonObject:
    """A picture itself where its file is small enough to be read here, else where it is."""
    try:
        data = image.read()
    except OSError:
        return {"type": "image", "image": encodable(image.location)}
    kind = next((kind for start, mark, kind in PICTURES if data[start:].startswith(mark)), "")
    shown = f"data:image/{kind};base64,{base64.b64encode(data).decode()}" if kind else encodable(image.location)
    return {"type": "image", "image": shown}
