"""SEED-Bench: the text must be exactly the letter of the answer.

Follows scripts/convert_seed_for_submission.py of haotian-liu/LLaVA.
"""

from pathlib import Path

from .answer_file import read_answers, read_json
from .verdict import Verdict, percentage

SOURCE = "haotian-liu/LLaVA@c121f0432da2"
PROTOCOLS = ("llava",)

TYPE_NAMES = (
    "scene_understanding",
    "instance_identity",
    "instance_attributes",
    "instance_location",
    "instances_counting",
    "spatial_relation",
    "instance_interaction",
    "visual_reasoning",
    "text_understanding",
    "action_recognition",
    "action_prediction",
    "procedure_understanding",
)


def score(data: Path, answers: Path) -> Verdict:
    """Score an answer file; where an id has two questions, its answer counts for both, its value is for the first."""
    questions = read_json(data / "seed_bench" / "SEED-Bench.json")["questions"]
    lines = read_answers(answers)
    text_of = {line.question_id: line.text for line in lines}
    first_answer: dict[str, str] = {}
    groups: dict[str, list[float]] = {}
    for question in questions:
        question_id = str(question["question_id"])
        first_answer.setdefault(question_id, question["answer"])
        worth = float(text_of.get(question_id) == question["answer"])
        names = ["accuracy", question["data_type"]]
        if question.get("question_type_id") is not None:
            names.append(TYPE_NAMES[int(question["question_type_id"]) - 1])
        for name in names:
            groups.setdefault(name, []).append(worth)
    values = [float(line.text == first_answer[line.question_id]) for line in lines]
    return Verdict(values, {name: percentage(group) for name, group in groups.items()})
