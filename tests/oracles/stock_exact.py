"""Equality of short answers: case, spaces at the ends and full stops at the end do not count.

The rule is this project's; it is the one of LLaVA's scripts/convert_gqa_for_eval.py (full stops at the end go, lower
case) with spaces at the ends taken away before and after, and on both sides. The full stops go once: "a. ." becomes "a.".
"""

SOURCE = "haotian-liu/LLaVA@c121f0432da2"


def bare(text: str) -> str:
    """The text that is compared."""
    return text.strip().rstrip(".").strip().lower()


def value(answer: str, answers: list[str], choices: list[str]) -> float:
    """1 if the answer equals an accepted one; an answer of which nothing is left is worth nothing."""
    return float(bool(bare(answer)) and bare(answer) in [bare(accepted) for accepted in answers])
