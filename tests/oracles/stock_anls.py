"""ANLS as the script of DocVQA's organisers computes it (Robust Reading Competition, chapter 17).

Follows infographicsvqa_eval.py, the organisers' script as QwenLM/Qwen-VL keeps it in eval_mm/. The distance is between
the lower-cased texts with white space collapsed, the length is the longer of the two texts as they came (the script
takes it of the upper-cased texts: a letter such as sharp s counts twice). White space at the ends of an answer thus
makes it longer and its mistakes smaller. The similarity of the best accepted answer counts if it is 0.5 or more; two
empty texts are alike.

Others differ. The papers (ST-VQA's equation 1, DocVQA) count a similarity of exactly 0.5 as 0, and so do pix2struct's
metrics.py and shunk031/ANLS. pix2struct and ST-VQA's older script do not collapse white space; shunk031/ANLS takes the
length after collapsing. VLMEvalKit and lmms-eval are the organisers' script again.
"""

SOURCE = "QwenLM/Qwen-VL@aa00ed04091e"

THRESHOLD = 0.5


def edits(one: str, other: str) -> int:
    """The Levenshtein distance: the cheapest way through the table of all pairs of beginnings."""
    table = {(0, column): column for column in range(len(other) + 1)} | {(row, 0): row for row in range(len(one) + 1)}
    for row in range(1, len(one) + 1):
        for column in range(1, len(other) + 1):
            replaced = table[row - 1, column - 1] + (one[row - 1] != other[column - 1])
            table[row, column] = min(replaced, table[row - 1, column] + 1, table[row, column - 1] + 1)
    return table[len(one), len(other)]


def similarity(answer: str, accepted: str) -> float:
    """1 less the number of edits per character."""
    length = max(len(answer.upper()), len(accepted.upper()))
    if not length:
        return 1.0
    return 1.0 - edits(" ".join(answer.lower().split()), " ".join(accepted.lower().split())) / length


def value(answer: str, answers: list[str], choices: list[str]) -> float:
    """The similarity to the best accepted answer, 0 below the threshold."""
    best = max(similarity(answer, accepted) for accepted in answers)
    return best if best >= THRESHOLD else 0.0
