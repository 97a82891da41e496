"""Reads exported files with a suite's own code and prints what it finds; runs in that suite's environment, not in ours.

    python suite_readers.py SUITE [FILE...]

What stands in the files is all that there is: nothing of mipha-eval is imported, but its own reader of logs where that is
what is looked at.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from types import ModuleType
from typing import Any


def lmms_eval(files: Sequence[str]) -> Any:
    """Per samples' file: what lmms-eval reads as a baseline, and what its tasks make of the same answers again.

    A further file is an object, task -> a document a line, as its data set would have it.
    """
    from lmms_eval.baselines.loader import load_baseline

    *samples, documents = files
    docs = json.loads(Path(documents).read_text(encoding="utf-8"))
    found: dict[str, Any] = {}
    for name in samples:
        task = Path(name).stem.partition("_samples_")[2]
        scores, results = load_baseline(name, task)
        rows = [json.loads(line) for line in Path(name).read_text(encoding="utf-8").splitlines()]
        made = [own_payloads(task, docs[task][str(row["doc_id"])], row["filtered_resps"]) for row in rows]
        found[task] = {
            "scores": scores,
            "results": results,
            "answers": [row["filtered_resps"] for row in rows],
            "made": made,
        }
    return found


#: task -> file with its rules, and what is called there with (document, [answer])
RULES = {
    "pope": ("pope/utils.py", "pope_process_results"),
    "mme": ("mme/utils.py", "mme_process_results"),
    "scienceqa": ("scienceqa/utils.py", "sqa_process_results"),
    "seedbench": ("seedbench/utils.py", "seed_process_result"),
    "textvqa_val": ("textvqa/utils.py", "textvqa_process_results"),
    "vizwiz_vqa_val": ("vizwiz_vqa/utils.py", "vizwiz_vqa_process_results"),
}


def own_payloads(task: str, document: Any, text: str) -> Any:
    """What lmms-eval's own rules keep of an answer."""
    if task not in RULES:
        return None
    file, name = RULES[task]
    return getattr(rules(file), name)(document, [text])


def rules(file: str) -> ModuleType:
    """A file of its tasks by itself: their package imports all of lmms-eval."""
    name = f"own_{file.replace('/', '_').removesuffix('.py')}"
    if name not in sys.modules:
        package = importlib.util.find_spec("lmms_eval")
        assert package is not None
        assert package.origin is not None
        tasks = Path(package.origin).parent / "tasks"
        for inner in ("_task_utils.file_utils", "_task_utils.vqa_eval_metric"):
            load(f"lmms_eval.tasks.{inner}", tasks / f"{inner.replace('.', '/')}.py")
        load(name, tasks / file)
    return sys.modules[name]


def load(name: str, file: Path) -> None:
    """Imports a file under a name; packages that it seems to be in are empty ones."""
    for depth in range(1, name.count(".") + 1):
        outer = ".".join(name.split(".")[:depth])
        sys.modules.setdefault(outer, ModuleType(outer))
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules[name])


def inspect(files: Sequence[str]) -> Any:
    """Per log: header, answers, errors and scores, as ``inspect_ai.log`` reads them."""
    from inspect_ai.log import read_eval_log, read_eval_log_sample_summaries

    found: dict[str, Any] = {}
    for name in files:
        log = read_eval_log(name)
        assert log.samples is not None
        assert log.results is not None
        found[log.eval.task] = {
            "status": log.status,
            "tags": log.eval.tags,
            "model": log.eval.model,
            "limit": log.eval.config.limit,
            "metrics": {key: metric.value for key, metric in log.results.scores[0].metrics.items()},
            "answers": {str(each.id): each.output.completion for each in log.samples if each.error is None},
            "messages": {str(each.id): each.messages[-1].text for each in log.samples if each.error is None},
            "errors": {str(each.id): each.error.message for each in log.samples if each.error is not None},
            "values": {str(each.id): score.value for each in log.samples for score in (each.scores or {}).values()},
            "targets": {str(each.id): each.target for each in log.samples},
            "images": [part.image for part in log.samples[0].messages[0].content if part.type == "image"],
            "summaries": [str(each.id) for each in read_eval_log_sample_summaries(name)],
        }
    return found


def inspect_again(files: Sequence[str]) -> Any:
    """Per log: its answers as we read them here, through Inspect's library; and the log in pieces, as Inspect makes it."""
    from inspect_ai.log._recorders.chunked import convert_eval_logs_to_chunked

    from mipha_eval.data.suite_files.inspect_library import samples_by_library
    from mipha_eval.data.suite_files.inspect_log import read_inspect
    from mipha_eval.data.suite_files.stored import StoredFile

    found: dict[str, Any] = {}
    for name in files:
        pieces = Path(name).parent / "pieces"
        convert_eval_logs_to_chunked(name, str(pieces), chunk_size=1)
        given = read_inspect(StoredFile(Path(name)))
        assert given is not None
        assert samples_by_library(Path(name), "eval"), "the library does not read it"
        found[name] = {"pieces": str(pieces / Path(name).name), "answers": [shown(each) for each in given.answers]}
    return found


def shown(answer: Any) -> dict[str, str]:
    """An answer as JSON, but for its place."""
    return {key: str(value) for key, value in asdict(answer).items() if key != "place"}


def evalscope(files: Sequence[str]) -> Any:
    """Per file of predictions or reviews: what EvalScope's cache holds."""
    from evalscope.api.evaluator.cache import ModelResult, ReviewResult

    found: dict[str, Any] = {}
    for name in files:
        rows = [json.loads(line) for line in Path(name).read_text(encoding="utf-8").splitlines()]
        if "/reviews/" in name:
            reviews = [ReviewResult.from_cache_item(row) for row in rows]
            found[name] = {str(each.index): each.to_sample_score().score.main_value for each in reviews}
        else:
            results = [ModelResult.model_validate(row) for row in rows]
            found[name] = {str(each.index): each.model_output.completion for each in results if each.model_output}
    return found


def vlmevalkit(files: Sequence[str]) -> Any:
    """Per table: the predictions as VLMEvalKit loads them, and the numbers of its scorers where these need no network."""
    root = Path(os.environ["MIPHA_EVAL_VLMEVALKIT"]) / "vlmeval"
    os.environ["LMUData"] = str(Path(files[0]).parent)  # noqa: SIM112  # its own spelling
    bare_package("vlmeval", root)
    bare_package("vlmeval.dataset", root / "dataset")
    bare_package("vlmeval.dataset.utils", root / "dataset/utils", DEBUG_MESSAGE="", build_judge=None)
    from vlmeval.dataset.image_yorn import ImageYORNDataset
    from vlmeval.smp import load as load_table

    found: dict[str, Any] = {}
    for name in files:
        data = load_table(name)
        own = {"index": list(map(str, data["index"])), "prediction": list(map(str, data["prediction"]))}
        dataset = next(each for each in DATASETS if name.endswith(f"_{each}.xlsx"))
        if dataset in ("POPE", "MME"):
            scorer = ImageYORNDataset.__new__(ImageYORNDataset)
            scorer.dataset_name = dataset
            own["score"] = scorer.evaluate(name).to_dict("records")
        if dataset == "MMBench_DEV_EN":
            own["score"] = mmbench(name, data)
        found[dataset] = own
    return json.loads(json.dumps(found, default=float))


DATASETS = ("POPE", "MME", "MMBench_DEV_EN", "GQA_TestDev_Balanced", "TextVQA_VAL")


def bare_package(name: str, folder: Path, **values: Any) -> None:
    """A package without what its own ``__init__`` does, which is to import all models and data sets."""
    package = ModuleType(name)
    package.__path__ = [str(folder)]
    vars(package).update(values)
    sys.modules[name] = package


def mmbench(name: str, data: Any) -> Any:
    """By its circular evaluation without a judge; the data set's table is the exported one, without the predictions."""
    from vlmeval.dataset.image_mcq import ImageMCQDataset

    scorer = ImageMCQDataset.__new__(ImageMCQDataset)
    scorer.dataset_name = "MMBench_DEV_EN"
    scorer.data = data.drop(columns="prediction")
    return scorer.evaluate(name, model="exact_matching").to_dict("records")


READERS: Mapping[str, Callable[[Sequence[str]], Any]] = {
    "lmms-eval": lmms_eval,
    "inspect": inspect,
    "inspect again": inspect_again,
    "evalscope": evalscope,
    "vlmevalkit": vlmevalkit,
}

if __name__ == "__main__":
    # what the suites print goes elsewhere
    output, sys.stdout = sys.stdout, sys.stderr
    json.dump(READERS[sys.argv[1]](sys.argv[2:]), output)
