"""What LLaVA's script for ScienceQA writes beside its numbers: every answer, by problem or in two lists."""

from __future__ import annotations

from collections.abc import Mapping

from mipha_eval.core.json_value import JsonObject
from mipha_eval.data.suite_files.given import GivenAnswer, GivenFile
from mipha_eval.data.suite_files.stored import StoredFile

#: what the script puts in place of an answer that is missing
FAILED = "FAILED"


def read_llava(file: StoredFile) -> GivenFile | None:
    """``{acc, results, outputs}`` or ``{correct, incorrect}``; None for other files."""
    whole = file.whole
    if not isinstance(whole, Mapping):
        return None
    outputs, right, wrong = whole.get("outputs"), whole.get("correct"), whole.get("incorrect")
    if isinstance(outputs, Mapping) and isinstance(whole.get("results"), Mapping):
        answers = [
            GivenAnswer(f"{file.path}: problem {name}", text, id=name)
            for name, text in outputs.items()
            if isinstance(text, str) and text != FAILED
        ]
        return GivenFile("the result of LLaVA's script for ScienceQA", answers)
    if isinstance(right, list) and isinstance(wrong, list):
        rows = [row for row in [*right, *wrong] if isinstance(row, Mapping) and isinstance(row.get("pred"), str)]
        return GivenFile(
            "the analysis of LLaVA's script for ScienceQA", [_answer(file, row) for row in rows if _is_there(row)]
        )
    return None


def _is_there(row: JsonObject) -> bool:
    return row["pred"] != FAILED


def _answer(file: StoredFile, row: JsonObject) -> GivenAnswer:
    name, asked, right = row.get("question_id"), row.get("question"), row.get("ground_truth")
    return GivenAnswer(
        f"{file.path}: problem {name}",
        str(row["pred"]),
        id=name if isinstance(name, str | int) else None,
        asked=asked if isinstance(asked, str) else "",
        right=right if isinstance(right, str) else "",
    )
