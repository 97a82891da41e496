"""What InternVL's and Qwen-VL's evaluation scripts write: arrays and lines of answers with their questions.

``{question, question_id, answer}`` of VQAv2, TextVQA and VizWiz, ``{question, questionId, answer, annotation}`` of GQA,
``{image, answer}`` of VizWiz's test, ``{question, answer, gt_answers, image_path}`` of ScienceQA, ``{question_id, question,
prediction, answer}`` of SEED-Bench. The answer is the model's own words: the official pipeline's conversion is done here.
An array without questions that is a server's upload is not of these, but is read as what is uploaded.
"""

from __future__ import annotations

from collections.abc import Mapping

from mipha_eval.core.json_value import JsonObject
from mipha_eval.data.suite_files.fields import first_id, first_picture, first_text
from mipha_eval.data.suite_files.given import GivenAnswer, GivenFile
from mipha_eval.data.suite_files.stored import StoredFile

#: keys of the right answer
RIGHT = ("annotation", "gt_answers")


def read_internvl(file: StoredFile) -> GivenFile | None:
    """An array or lines of these; None for other files."""
    sample = file.sample
    if not sample or "text" in sample or "doc_id" in sample:
        return None
    if _is_seed(sample):
        form, key = "InternVL's lines for SEED-Bench", "prediction"
    elif isinstance(sample.get("answer"), str) and "prediction" not in sample and _is_own(sample):
        form, key = ("InternVL's answers" if "question" in sample else "Qwen-VL's answers"), "answer"
    else:
        return None
    return GivenFile(form, [_answer(place, row, key) for place, row in file.rows() if isinstance(row.get(key), str)])


def _is_seed(row: JsonObject) -> bool:
    return {"question_id", "question", "prediction", "answer"} <= set(row) and isinstance(row["prediction"], str)


def _is_own(row: JsonObject) -> bool:
    """Whether a row has what no server's upload has: its question, or the right answer."""
    if any(name in row for name in RIGHT):
        return True
    return isinstance(row.get("question"), str) and ("question_id" in row or "questionId" in row)


def _answer(place: str, row: JsonObject, key: str) -> GivenAnswer:
    right = row.get("answer") if key == "prediction" else next((row[name] for name in RIGHT if name in row), "")
    if isinstance(right, Mapping | list):
        right = ""
    return GivenAnswer(
        place,
        str(row[key]),
        id=first_id([row], ("question_id", "questionId", "index")),
        asked=first_text([row], "question"),
        picture=first_picture([row]),
        right=str(right or ""),
    )
