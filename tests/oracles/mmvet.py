"""MM-Vet with a rule in place of the GPT-4 judge: the share of the answer's parts that the response holds.

Follows mm-vet_evaluator.py of yuweihao/MM-Vet in how grades are put together, not in the grades themselves.
"""

from pathlib import Path

from .answer_file import read_answers, read_json
from .verdict import Verdict, percentage

SOURCE = "this project's own rule for grades; how they are put together: yuweihao/MM-Vet@acde843e02da"
PROTOCOLS = ("v1", "v1-mipha")

CAPABILITIES = ("rec", "ocr", "know", "gen", "spat", "math")


def stands_alone(part: str, response: str) -> bool:
    """Whether the part is somewhere in the response with no letter or digit right before or after it."""
    if not part:
        return False
    place = response.find(part)
    while place >= 0:
        before = response[place - 1] if place > 0 else ""
        end = place + len(part)
        after = response[end : end + 1]
        if not before.isalnum() and not after.isalnum():
            return True
        place = response.find(part, place + 1)
    return False


def grade(response: str, answer: str) -> float:
    """The best alternative's share of parts that are found."""
    lowered = response.lower()
    shares = []
    for alternative in answer.split("<OR>"):
        parts = [part.strip().lower() for part in alternative.split("<AND>")]
        shares.append(sum(1 for part in parts if stands_alone(part, lowered)) / len(parts))
    return max(shares)


def score(data: Path, answers: Path) -> Verdict:
    """Score an answer file whose question ids are the numbers after v1_."""
    questions = read_json(data / "mm-vet" / "mm-vet.json")
    values: list[float] = []
    groups: dict[str, list[float]] = {"score": []}
    for line in read_answers(answers):
        question = questions[f"v1_{line.question_id}"]
        values.append(grade(line.text, question["answer"]))
        present = [name for name in CAPABILITIES if name in question["capability"]]
        for name in ("score", *present, "only/" + "_".join(present)):
            groups.setdefault(name, []).append(values[-1])
    return Verdict(values, {f"{name}[rule]": percentage(group) for name, group in groups.items()})
