"""Runs lmms-eval's own functions; needs the package alone, numpy, pandas, pyyaml, loguru, requests and sacrebleu."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import json
import os
import sys
import tempfile
import types
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

Rows = Sequence[Mapping[str, Any]]
Outcome = dict[str, Any]


def package_folder() -> Path:
    """Where lmms-eval is, with its packages that import every model and metric left empty."""
    spec = importlib.util.find_spec("lmms_eval")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("lmms_eval is not installed here")
    folder = Path(next(iter(spec.submodule_search_locations)))
    tasks = types.ModuleType("lmms_eval.tasks")
    tasks.__path__ = [str(folder / "tasks")]
    sys.modules["lmms_eval.tasks"] = tasks
    registry = types.ModuleType("lmms_eval.api.registry")
    registry.register_aggregation = registry.register_metric = _unregistered  # type: ignore[attr-defined]
    sys.modules["lmms_eval.api.registry"] = registry
    return folder


def _unregistered(*_: object, **__: object) -> Callable[[Any], Any]:
    return lambda function: function


FOLDER = package_folder()
METRICS = importlib.import_module("lmms_eval.api.metrics")
REASONING = importlib.import_module("lmms_eval.api.reasoning")


def default_tags() -> list[list[str]]:
    """The default of ``--reasoning_tags``."""
    for node in ast.walk(ast.parse((FOLDER / "__main__.py").read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and node.args and getattr(node.args[0], "value", "") == "--reasoning_tags":
            given = next(ast.literal_eval(word.value) for word in node.keywords if word.arg == "default")
            return REASONING.parse_reasoning_tags_config(cli_value=given) or []
    raise SystemExit("lmms_eval has no --reasoning_tags any more")


TAGS = default_tags()


def prepared(text: str) -> str:
    """What the evaluator hands to a task."""
    return str(REASONING.strip_reasoning_tags(text, TAGS)).strip()


def of_task(name: str, part: str = "utils") -> Any:
    """A module of a task."""
    return importlib.import_module(f"lmms_eval.tasks.{name}.{part}")


def pope(rows: Rows) -> dict[str, Outcome]:
    utils = of_task("pope")
    found = {row["id"]: utils.pope_process_results(_doc(row), [row["said"]])["pope_f1_score"] for row in rows}
    said = {key: each["prediction"] if each["prediction"] in ("yes", "no") else "" for key, each in found.items()}
    number = 100 * utils.pope_aggregate_f1_score(list(found.values()))
    return {"pope: pope_f1_score": _outcome(number, {key: each["score"] for key, each in found.items()}, said)}


def mme(rows: Rows) -> dict[str, Outcome]:
    utils = of_task("mme")
    outcomes = {}
    for name, kind in (("mme_perception_score", "Perception"), ("mme_cognition_score", "Cognition")):
        chosen = [row for row in rows if row["category"] in utils.eval_type_dict[kind]]
        found = {
            row["id"]: utils.mme_process_results({**_doc(row), "question_id": row["group"]}, [row["said"]])[name]
            for row in chosen
        }
        said = {row["id"]: utils.parse_pred_ans(row["said"]).replace("other", "") for row in chosen}
        number = utils.mme_aggregate_results(list(found.values())) if found else None
        outcomes[f"mme: {name}"] = _outcome(number, {key: each["score"] for key, each in found.items()}, said)
    return outcomes


def gqa(rows: Rows) -> dict[str, Outcome]:
    def match(row: Mapping[str, Any]) -> float:
        given = {"references": [row["target"][0]], "predictions": [row["said"].strip()]}
        return float(METRICS.exact_match_fn(**given, ignore_case=True, ignore_punctuation=True)["exact_match"])

    return {"gqa: exact_match": _mean({row["id"]: match(row) for row in rows})}


def textvqa(rows: Rows) -> dict[str, Outcome]:
    return {"textvqa_val: exact_match": _people(rows, of_task("textvqa").textvqa_process_results)}


def vizwiz(rows: Rows) -> dict[str, Outcome]:
    return {"vizwiz_vqa_val: exact_match": _people(rows, of_task("vizwiz_vqa").vizwiz_vqa_process_results)}


def vqav2(rows: Rows) -> dict[str, Outcome]:
    changed = [{**row, "target": [{"answer": text, "answer_id": i} for i, text in enumerate(row["target"])]} for row in rows]
    return {"vqav2_val: exact_match": _people(changed, of_task("vqav2").vqav2_process_results)}


def _people(rows: Rows, process: Callable[[Any, list[str]], Any]) -> Outcome:
    found = {row["id"]: process({"question_id": row["id"], "answers": [*row["target"]]}, [row["said"]]) for row in rows}
    said = {key: each["submission"]["answer"] for key, each in found.items()}
    return _mean({key: each["exact_match"] for key, each in found.items()}, said)


def scienceqa(rows: Rows) -> dict[str, Outcome]:
    utils = of_task("scienceqa")

    def worth(row: Mapping[str, Any]) -> float:
        doc = {"choices": row["choices"], "answer": "ABCDEFGHIJ".index(row["target"][0])}
        return float(utils.sqa_process_results(doc, [row["said"]])["exact_match"])

    worths = {row["id"]: worth(row) for row in rows}
    shown = {row["id"]: worths[row["id"]] for row in rows if row["images"]}
    return {"scienceqa: exact_match": _mean(worths), "scienceqa_img: exact_match": _mean(shown)}


def seed(rows: Rows) -> dict[str, Outcome]:
    utils = of_task("seedbench")
    outcomes = {}
    for name, kinds in (("seed_all", ("image", "video")), ("seed_image", ("image",))):
        chosen = [row for row in rows if row["category"] in kinds]
        found = {
            row["id"]: utils.seed_process_result({**_doc(row), "data_type": row["category"]}, [row["said"]])[name]
            for row in chosen
        }
        worths = {key: utils.seed_aggregation_result([each]) for key, each in found.items()}
        number = 100 * utils.seed_aggregation_result(list(found.values())) if found else None
        outcomes[f"seedbench: {name}"] = _outcome(number, worths)
    return outcomes


def mmbench(rows: Rows, protocol: str) -> dict[str, Outcome]:
    cn = protocol == "cn-dev"
    utils = of_task("mmbench", "cn_utils" if cn else "en_utils")
    evaluator, outcomes = utils.mmbench_evaluator, {}
    results = [utils.mmbench_process_results(_table_row(row), [row["said"]])["gpt_eval_score"] for row in rows]
    extract = of_task("_task_utils", "mcq_extract").extract_mcq_answer
    truths = {row["id"]: row["target"][0] for row in rows}
    judged = {str(each["index"]): evaluator.prefetch_answer(each) or "" for each in results}
    asked: list[str] = []
    numbers = []
    for right in (False, True):
        asked.clear()
        evaluator.extract_answer_from_item = lambda item, right=right: _judge(item, truths, asked, right=right)
        numbers.append(100 * evaluator.eval_result(results, "openai")[0])
    name = "mmbench_cn_dev" if cn else "mmbench_en_dev"
    worths = {key: float(answer == truths[key]) for key, answer in judged.items()}
    outcomes[f"{name}: gpt_eval_score"] = {**_outcome(numbers[0], worths, judged), "best": numbers[1], "asked": [*asked]}
    if not cn:
        static = {
            str(each["index"]): judged[str(each["index"])]
            or extract(each["prediction"], choices=sorted(evaluator.build_choices(each)))
            for each in results
        }
        worths = {key: float(answer == truths[key]) for key, answer in static.items()}
        number = 100 * evaluator.eval_result(results, "static")[0]
        outcomes["mmbench_en_dev_static: gpt_eval_score"] = _outcome(number, worths, static)
    return outcomes


def _judge(item: Any, truths: Mapping[str, str], asked: list[str], *, right: bool) -> tuple[str, str]:
    """In place of asking one: every answer right, or every one wrong."""
    key = str(item["index"])
    asked.append(key)
    return (truths[key] if right else "E"), ""


def _table_row(row: Mapping[str, Any]) -> dict[str, Any]:
    options = {letter: (row["choices"] + [""] * 4)[place] or "nan" for place, letter in enumerate("ABCD")}
    texts = {"hint": "nan", "source": "", "split": "dev", "category": row["category"], "L2-category": ""}
    return {"index": int(row["id"]), "question": row["question"], "answer": row["target"][0], **texts, **options}


def _doc(row: Mapping[str, Any]) -> dict[str, Any]:
    return {"question_id": row["id"], "answer": row["target"][0], "category": row["category"]}


def _mean(worths: Mapping[str, float], answers: Mapping[str, str] | None = None) -> Outcome:
    return _outcome(100 * METRICS.mean(list(worths.values())) if worths else None, worths, answers)


def _outcome(number: float | None, worths: Mapping[str, float], answers: Mapping[str, str] | None = None) -> Outcome:
    return {"number": number, "worths": dict(worths), "answers": dict(answers or {})}


TASKS = {function.__name__: function for function in (pope, mme, gqa, textvqa, vizwiz, vqav2, scienceqa, seed)}


def main(given: Path, result: Path) -> None:
    """Reads what is given, and writes what comes of it."""
    asked = json.loads(given.read_text(encoding="utf-8"))
    outcomes = []
    os.chdir(tempfile.mkdtemp())  # some of its functions write files beside
    for texts in asked["rounds"]:
        rows = [{**row, "said": prepared(text)} for row, text in zip(asked["rows"], texts, strict=True)]
        if asked["task"] == "mmbench":
            outcomes.append(mmbench(rows, asked["protocol"]))
        else:
            outcomes.append(TASKS[asked["task"]](rows))
    result.write_text(json.dumps(outcomes), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve())
