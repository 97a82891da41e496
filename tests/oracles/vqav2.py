"""VQAv2: LLaVA's conversion of the text, then the official accuracy.

Follows PythonEvaluationTools/vqaEvaluation/vqaEval.py of GT-Vision-Lab/VQA, after LLaVA's
scripts/convert_vqav2_for_submission.py.
"""

from pathlib import Path
from typing import Any

from .answer_file import read_answers, read_json
from .verdict import Verdict, percentage
from .vqa_text import accuracy_of_matches, normalise_evalai, normalise_vqa, without_breaks

SOURCE = "GT-Vision-Lab/VQA@a013f0043c1e"
PROTOCOLS = ("val",)

QUESTIONS = "v2_OpenEnded_mscoco_val2014_questions.json"
ANNOTATIONS = "v2_mscoco_val2014_annotations.json"


def official_accuracy(text: str, annotation: dict[str, Any]) -> float:
    """The accuracy of one text.

    Nothing is normalised when all annotators wrote the same. "The others" are the records that differ from the
    one left out, so that records without an answer_id that are alike are left out together, as in the script.
    """
    references = [{**record, "answer": without_breaks(record["answer"])} for record in annotation["answers"]]
    answer = without_breaks(text)
    if len({record["answer"] for record in references}) > 1:
        references = [{**record, "answer": normalise_vqa(record["answer"])} for record in references]
        answer = normalise_vqa(answer)
    matches = []
    for left_out in references:
        others = [record for record in references if record != left_out]
        matches.append(sum(1 for record in others if record["answer"] == answer))
    return accuracy_of_matches(matches)


def score(data: Path, answers: Path) -> Verdict:
    """Score an answer file; the values are those of the converted texts."""
    folder = data / "vqav2"
    asked = {str(row["question_id"]) for row in read_json(folder / QUESTIONS)["questions"]}
    annotations = {str(row["question_id"]): row for row in read_json(folder / ANNOTATIONS)["annotations"]}
    lines = read_answers(answers)
    if {line.question_id for line in lines} != asked:
        raise ValueError("the answers are not those to the questions of the question file")
    values: list[float] = []
    unconverted: list[float] = []
    by_type: dict[str, list[float]] = {}
    for line in lines:
        annotation = annotations[line.question_id]
        values.append(official_accuracy(normalise_evalai(line.text), annotation))
        unconverted.append(official_accuracy(line.text, annotation))
        by_type.setdefault(annotation["answer_type"], []).append(values[-1])
    metrics = {"accuracy": percentage(values), "unconverted": percentage(unconverted)}
    for answer_type, numbers in by_type.items():
        metrics[answer_type] = percentage(numbers)
    return Verdict(values, metrics)
