"""LLaVA's answer files, a line a question, where its evaluation scripts look for them below ``playground/data/eval``.

By haotian-liu/LLaVA at c121f04: ``scripts/v1_5/eval/*.sh`` name the files, ``llava/eval/model_vqa*.py`` write the lines. Its
scripts have no form for a failed request.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence

from mipha_eval.core.json_value import Json, JsonObject
from mipha_eval.core.types import Response, Sample
from mipha_eval.suites.write.answered import AnsweredTask, RunFacts, SuiteFile, Written, left_out, lines_file, options_of

#: (benchmark, protocol) -> the answer file of MODEL
FILES: Mapping[tuple[str, str], str] = {
    ("pope", "llava"): "pope/answers/MODEL.jsonl",
    ("mme", "llava"): "MME/answers/MODEL.jsonl",
    ("gqa", "testdev"): "gqa/answers/llava_gqa_testdev_balanced/MODEL/merge.jsonl",
    ("textvqa", "llava-ocr"): "textvqa/answers/MODEL.jsonl",
    ("scienceqa", "llava"): "scienceqa/answers/MODEL.jsonl",
    ("seed", "llava"): "seed_bench/answers/MODEL/merge.jsonl",
    ("vqav2", "testdev"): "vqav2/answers/llava_vqav2_mscoco_test-dev2015/MODEL/merge.jsonl",
    ("vizwiz", "test"): "vizwiz/answers/MODEL.jsonl",
    ("mmbench", "dev"): "mmbench/answers/mmbench_dev_20230712/MODEL.jsonl",
    ("mmbench", "cn-dev"): "mmbench_cn/answers/mmbench_dev_cn_20231003/MODEL.jsonl",
    ("mmvet", "v1"): "mm-vet/answers/MODEL.jsonl",
    ("mmvet", "v1-mipha"): "mm-vet/answers/MODEL.jsonl",
}


def refusal(task: AnsweredTask) -> str:
    """Why the suite has no form for a task; empty if it has one."""
    return "" if task.benchmark in FILES else "none of its scripts evaluates it"


def write(run: RunFacts, tasks: Sequence[AnsweredTask]) -> Iterator[Written]:
    """The answer files of a run, below ``playground/data/eval``."""
    for task in tasks:
        rows = [_row(run, task, sample, response) for _, sample, response in task.answered]
        path = FILES[task.benchmark].replace("MODEL", run.file_name)
        yield Written(task.label, (SuiteFile(path, lines_file(rows)),), left_out(task, failures=True))


def _row(run: RunFacts, task: AnsweredTask, sample: Sample, response: Response) -> JsonObject:
    """A line, in LLaVA's order; metadata are empty there, and here where nothing weakens the answers."""
    marks: dict[str, Json] = {"marks": list(task.marks)} if task.marks else {}
    shown: dict[str, Json] = {}
    asked: dict[str, Json] = {"question_id": question_id(task, sample)}
    if task.name == "mmbench":  # rows of its tables are rotations already, and so each is the first round of its own
        options = options_of(sample)
        asked["round_id"], shown = 0, {"options": [*options.values()], "option_char": [*options]}
    # the scorer of ScienceQA finds the questions with a picture by this mark
    image = "<image>\n" if task.name == "scienceqa" and sample.images else ""
    return {
        **asked,
        "prompt": image + sample.prompt,
        "text": response.text,
        **shown,
        "answer_id": _answer_id(run, task, sample),
        "model_id": run.file_name,
        "metadata": marks,
    }


def question_id(task: AnsweredTask, sample: Sample) -> int | str:
    """As LLaVA's question file has it: its script for SEED-Bench finds answers by numbers alone, where ids are numbers."""
    number = sample.question_id
    if isinstance(number, int):
        return number
    text = str(number)
    return int(text) if task.name == "seed" and text.isascii() and text.isdecimal() else text


def _answer_id(run: RunFacts, task: AnsweredTask, sample: Sample) -> str:
    """As long as LLaVA's, which are drawn; these are the same whenever the same answer is written."""
    return hashlib.sha256("\n".join([run.identity, task.label, sample.id]).encode()).hexdigest()[:22]
