"""MME: 100 x accuracy + 100 x accuracy over both questions of an image, per subtask and summed.

Follows calculation.py in tools/eval_tool.zip of the MME repository, with the ground truth looked up as in LLaVA's
convert_answer_to_mme.py. The official reader cannot take a tab or a line break in an answer; here they are
ordinary characters of the text.
"""

from pathlib import Path

from .answer_file import Answer, read_answers
from .verdict import Verdict, mean

SOURCE = "BradyFU/Awesome-Multimodal-Large-Language-Models@dd2950902889"
PROTOCOLS = ("llava",)

PERCEPTION = ("existence", "count", "position", "color", "posters", "celebrity", "scene", "landmark", "artwork", "OCR")
COGNITION = ("commonsense_reasoning", "numerical_calculation", "text_translation", "code_reasoning")
LLAVA_SUFFIX = "Answer the question using a single word or phrase."
MME_SUFFIX = "Please answer yes or no."

Key = tuple[str, str, str]


def bare_question(prompt: str) -> str:
    """The question without LLaVA's line and without MME's own sentence."""
    return prompt.replace(LLAVA_SUFFIX, "").replace(MME_SUFFIX, "").strip()


def stem(image_name: str) -> str:
    """The last part of a path, up to its first full stop."""
    return image_name.rsplit("/", maxsplit=1)[-1].split(".", maxsplit=1)[0]


def read_labels(folder: Path) -> dict[Key, str]:
    """(subtask, image stem, question) -> yes or no, from lines of image, question and label."""
    labels: dict[Key, str] = {}
    for path in sorted(folder.glob("*.txt")):
        for line in path.read_text(encoding="utf-8").split("\n"):
            if line.strip():
                image_name, question, label = line.split("\t")
                labels[path.stem, stem(image_name), bare_question(question)] = label.strip().lower()
    return labels


def key_of(answer: Answer) -> Key:
    """The key of an answer: the question id is a path that starts with the subtask."""
    subtask = answer.question_id.split("/")[0]
    return subtask, stem(answer.question_id), bare_question(answer.prompt)


def reading(text: str) -> str:
    """How the official script reads a text: yes, no or other."""
    lowered = text.lower()
    if lowered in ("yes", "no"):
        return lowered
    beginning = lowered[:4]
    if "yes" in beginning:
        return "yes"
    if "no" in beginning:
        return "no"
    return "other"


def subtask_points(correct: list[float]) -> float:
    """The points of a subtask; the questions are taken two by two in the order of the file."""
    if len(correct) % 2:
        raise ValueError("a subtask of MME needs two questions for each image")
    both = [float(correct[place] + correct[place + 1] == 2.0) for place in range(0, len(correct), 2)]
    return 100.0 * mean(correct) + 100.0 * mean(both)


def score(data: Path, answers: Path) -> Verdict:
    """Score an answer file that is in the order of llava_mme.jsonl."""
    labels = read_labels(data / "MME" / "eval_tool" / "Your_Results")
    values: list[float] = []
    by_subtask: dict[str, list[float]] = {}
    for answer in read_answers(answers):
        key = key_of(answer)
        values.append(float(reading(answer.text) == labels[key]))
        by_subtask.setdefault(key[0], []).append(values[-1])
    metrics = {name: subtask_points(correct) for name, correct in by_subtask.items()}
    sums = {"perception": PERCEPTION, "cognition": COGNITION, "total": PERCEPTION + COGNITION}
    for name, subtasks in sums.items():
        points = [metrics[subtask] for subtask in subtasks if subtask in by_subtask]
        if points:
            metrics[name] = sum(points)
    return Verdict(values, metrics)
