"""EvalScope's predictions, ``predictions/MODEL/DATASET_SUBSET.jsonl``, and reviews where its rule is a line.

By modelscope/evalscope at fde259d, ``api/evaluator/cache.py``. It finds a question by its place in its own subset, so a set
whose rows are not its own is refused: the answers would stand beside other questions. Where there is no review, EvalScope
makes one when it reads the prediction (``--use-cache FOLDER``). A failed request has no form.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from mipha_eval.core.json_value import Json, JsonObject
from mipha_eval.core.types import Response, Sample
from mipha_eval.suites.write.answered import AnsweredTask, RunFacts, SuiteFile, Written, encodable, left_out, lines_file

#: between the ids of two categories of POPE in LLaVA's question file
POPE_STEP = 10_000_000
STOPS = {"stop": "stop", "length": "max_tokens"}
Answer = tuple[int, Sample, Response]


@dataclass(frozen=True)
class Benchmark:
    """A benchmark of EvalScope.

    Attributes:
        name: its name there.
        rows: how many questions it has.
        subset: of it; empty where a question's category is its subset, and its id says which place it has there.
        lacking: a subset whose questions are others there.
    """

    name: str
    rows: int
    subset: str = ""
    lacking: str = ""


#: (benchmark, protocol) -> what it is there
BENCHMARKS: Mapping[tuple[str, str], Benchmark] = {
    ("pope", "llava"): Benchmark("pope", 8910, lacking="random"),
    ("pope", "official"): Benchmark("pope", 9000),
    ("scienceqa", "llava"): Benchmark("science_qa", 4241, "default"),
    ("mmbench", "cn-dev"): Benchmark("mm_bench", 4329, "cn"),
    ("vqav2", "val"): Benchmark("vqav2", 214_354, "default"),
}


def refusal(task: AnsweredTask) -> str:
    """Why the suite has no form for a task; empty if it has one."""
    if task.benchmark == ("mmbench", "dev"):
        return "its English MMBench is the later release, whose rows are others"
    benchmark = BENCHMARKS.get(task.benchmark)
    if benchmark is None:
        return "it has no benchmark for it"
    if benchmark.subset and task.limited:
        return "it finds a question by its place among all, and the questions of a limited run are drawn"
    if task.total != benchmark.rows and not task.demo:
        return f"its set has {benchmark.rows:,} questions, this run's {task.total:,}"
    return ""


def write(run: RunFacts, tasks: Sequence[AnsweredTask]) -> Iterator[Written]:
    """The files of a run, below its work folder."""
    for task in tasks:
        benchmark = BENCHMARKS[task.benchmark]
        files: list[SuiteFile] = []
        for subset, answers in subsets(task, benchmark).items():
            name = f"{run.file_name}/{benchmark.name}_{subset}.jsonl"
            rows = (_prediction(run, place, sample, response) for place, sample, response in answers)
            files.append(SuiteFile(f"predictions/{name}", lines_file(rows)))
            if task.name == "pope":
                reviews = (_pope_review(place, sample, response) for place, sample, response in answers)
                files.append(SuiteFile(f"reviews/{name}", lines_file(reviews)))
        yield Written(task.label, tuple(files), (*left_out(task, failures=True), *_notes(task, benchmark)))


def subsets(task: AnsweredTask, benchmark: Benchmark) -> dict[str, list[Answer]]:
    """Subset -> (place in it, question, answer) of each question with an answer."""
    if benchmark.subset:
        return {benchmark.subset: list(task.answered)}
    found: dict[str, list[Answer]] = {}
    for _, sample, response in task.answered:
        if sample.category != benchmark.lacking or task.demo:
            found.setdefault(sample.category, []).append((_pope_place(sample), sample, response))
    return found


def _pope_place(sample: Sample) -> int:
    """The place of a question in its category, whose ids begin at 1 there and at a multiple of this in LLaVA's file."""
    return int(str(sample.question_id)) % POPE_STEP - 1


def _notes(task: AnsweredTask, benchmark: Benchmark) -> Iterable[str]:
    lacking = 0 if task.demo else sum(sample.category == benchmark.lacking for sample in task.samples)
    if lacking:
        yield f"{task.label}: left out the {lacking:,} questions of {benchmark.lacking}, of which EvalScope has others"
    if task.demo:
        yield f"{task.label}: drawn scenes are none of EvalScope's questions; only look at this file, do not score it"
    elif benchmark.subset and not task.rows_of_hub:
        yield f"{task.label}: index counts the questions as this run asked them, which is not proven to be EvalScope's order"


def _prediction(run: RunFacts, place: int, sample: Sample, response: Response) -> JsonObject:
    asked, said = _messages(run, sample, response)
    return {
        "index": place,
        "model": run.model,
        "model_output": {
            "model": run.model,
            "choices": [{"message": said, "stop_reason": STOPS.get(response.finish, "unknown")}],
            "usage": {"input_tokens": 0, "output_tokens": response.tokens, "total_tokens": response.tokens},
        },
        "messages": [asked, said],
        "metadata": _metadata(sample),
    }


def _messages(run: RunFacts, sample: Sample, response: Response) -> tuple[JsonObject, JsonObject]:
    """Question and answer; as lists, since a plain text is searched for marks of a model's thoughts."""
    pictures: list[Json] = [{"type": "image", "image": encodable(image.location)} for image in sample.images]
    asked: JsonObject = {"role": "user", "content": [_text(sample.prompt), *pictures]}
    return asked, {
        "role": "assistant",
        "content": [_text(response.text)],
        "source": "generate",
        "model": run.model,
    }


def _text(text: str) -> JsonObject:
    return {"type": "text", "text": encodable(text)}


def _metadata(sample: Sample) -> JsonObject:
    answer = sample.target[0].upper() if len(sample.target) == 1 else None
    known: dict[str, Json] = {"question_id": str(sample.question_id), "category": sample.category, "answer": answer}
    return {key: value for key, value in known.items() if value}


def _pope_review(place: int, sample: Sample, response: Response) -> JsonObject:
    """By EvalScope's rule: the right word stands anywhere in the answer."""
    right, text = sample.target[0].upper(), encodable(response.text)
    score: JsonObject = {
        "value": {"acc": int(right in text.strip().upper())},
        "extracted_prediction": text,
        "prediction": text,
        "metadata": {},
    }
    return {
        "index": place,
        "target": right,
        "messages": [{"role": "user", "content": [_text(sample.prompt)]}, {"role": "assistant", "content": [_text(text)]}],
        "sample_score": {"score": score, "sample_id": place, "group_id": place, "sample_metadata": _metadata(sample)},
    }
