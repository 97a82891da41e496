"""Runs EvalScope's own adapters, from the reading to the report; needs a checkout on PYTHONPATH and pydantic."""

from __future__ import annotations

import importlib
import json
import os
import sys
import types
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

Rows = Sequence[Mapping[str, Any]]
Outcome = dict[str, Any]

os.environ.setdefault("MODELSCOPE_OFFLINE", "1")


def empty_packages() -> None:
    """Its package and that of its benchmarks import all of them; they are left empty here."""
    root = next((Path(folder) / "evalscope" for folder in sys.path if (Path(folder) / "evalscope" / "api").is_dir()), None)
    if root is None:
        raise SystemExit("EvalScope is not here")
    for name in ("", ".benchmarks"):
        package = types.ModuleType(f"evalscope{name}")
        package.__path__ = [str(root / name.strip("."))]
        sys.modules[f"evalscope{name}"] = package
    version: Any = sys.modules["evalscope"]
    version.__version__, version.__release_datetime__ = "", ""


empty_packages()
MODULES = {
    "pope": ("pope", "pope_adapter"),
    "vqav2": ("vqav2", "vqav2_adapter"),
    "scienceqa": ("science_qa", "science_qa_adapter"),
    "mmbench": ("mm_bench", "mm_bench_adapter"),
}


def adapter_of(task: str) -> Any:
    """The adapter with its metadata, and the metrics and aggregations that it names."""
    folder, file = MODULES[task]
    for module in ("evalscope.metrics.nlp.metrics", "evalscope.metrics.aggregators.aggregators"):
        importlib.import_module(module)
    importlib.import_module(f"evalscope.benchmarks.{folder}.{file}")
    config = importlib.import_module("evalscope.config").TaskConfig(model="model", datasets=[folder], eval_type="mock_llm")
    return importlib.import_module("evalscope.api.registry").get_benchmark(folder, config)


def record(task: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of its data set."""
    if task == "scienceqa":
        return {"question": row["question"], "choices": row["choices"], "answer": "ABCDEFGHIJ".index(row["target"][0])}
    if task == "mmbench":
        options = {letter: (row["choices"] + [""] * 4)[place] or "nan" for place, letter in enumerate("ABCD")}
        return {"question": row["question"], "hint": "", "answer": row["target"][0], "index": row["id"], **options}
    if task == "vqav2":
        return {"question": row["question"], "answers": [{"answer": text} for text in row["target"]]}
    return {"question": row["question"], "answer": row["target"][0], "category": row["category"]}


def score(adapter: Any, task: str, rows: Rows) -> dict[str, Outcome]:
    """Each answer, then each subset, then the report."""
    state = importlib.import_module("evalscope.api.evaluator.state").TaskState
    output = importlib.import_module("evalscope.api.model").ModelOutput
    by_subset, worths, answers = defaultdict(list), {}, {}
    for number, row in enumerate(rows):
        sample = adapter.record_to_sample(record(task, row))
        sample.id, sample.group_id = number, number
        said = output.from_content(model="model", content=row["said"])
        scored = adapter.calculate_metrics(state(model="model", sample=sample, messages=[], output=said, completed=True))
        by_subset[row["category"] if task == "pope" else "default"].append(scored)
        worths[row["id"]] = float(scored.score.main_value)
        if task in ("scienceqa", "mmbench"):
            answers[row["id"]] = scored.score.extracted_prediction
    added = {subset: adapter.aggregate_scores(scores) for subset, scores in by_subset.items()}
    report = adapter.generate_report(added, model_name="model", output_dir="")
    wanted = {"pope": "f1", "vqav2": "vqa_score"}.get(task, "accuracy")
    (number_of,) = (metric.score for metric in report.metrics if metric.identity.name == wanted)
    return {"": {"number": 100 * number_of, "worths": worths, "answers": answers}}


NAMES = {
    "pope": "pope: f1",
    "vqav2": "vqav2: vqa_score",
    "scienceqa": "science_qa: accuracy",
    "mmbench": "mm_bench (en): accuracy",
}


def main(given: Path, result: Path) -> None:
    """Reads what is given, and writes what comes of it."""
    asked = json.loads(given.read_text(encoding="utf-8"))
    task = asked["task"]
    adapter = adapter_of(task)
    name = NAMES[task].replace("(en)", "(cn)" if asked["protocol"] == "cn-dev" else "(en)")
    outcomes = []
    for texts in asked["rounds"]:
        rows = [{**row, "said": text} for row, text in zip(asked["rows"], texts, strict=True)]
        outcomes.append({name: score(adapter, task, rows)[""]})
    result.write_text(json.dumps(outcomes), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve())
