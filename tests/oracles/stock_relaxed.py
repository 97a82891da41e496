"""ChartQA's relaxed accuracy: a number may be 5 % off, everything else must be equal but for case.

vis-nlp/ChartQA has no code for it (Models/VL-T5/README.md says so; in its issue 4: what can be cast is a number). Follows
relaxed_correctness in pix2struct/metrics.py of google-research/pix2struct, where VLMEvalKit, lmms-eval and Qwen-VL have
theirs from. A number is what Python's float() reads, spaces around it and underscores between digits included; "1,000"
and "$5" are none. With a percent sign as the very last character all such signs go and the number is divided by 100:
"5%" is 0.05, never 5. Where the accepted answer is 0 or no number, or the answer is no number, texts are compared, and
spaces at the ends count. "inf" and "nan" are numbers that are never right, on either side. The limit is included, as far
as binary numbers let it be: 105 is right for 100, 1.05 is not right for 1. A year is a number: 2008 is right for 2010.

Others differ. VLMEvalKit strips the answer first; Qwen-VL strips it, too, and hands both over the wrong way round, so that
the 5 % are those of the answer. ChartQAPro drops percent signs, compares 0 as a number and marked years as texts.
"""

SOURCE = "google-research/pix2struct@945f27e936c9"

TOLERANCE = 0.05


def number(text: str) -> float | None:
    """The number that a text is, None if it is none."""
    bare, divisor = (text.rstrip("%"), 100.0) if text[-1:] == "%" else (text, 1.0)
    try:
        return float(bare) / divisor
    except ValueError:
        return None


def is_right(answer: str, accepted: str) -> bool:
    """Whether an answer is right by one accepted answer."""
    given, wanted = number(answer), number(accepted)
    if given is None or wanted is None or wanted == 0.0:
        return answer.lower() == accepted.lower()
    return abs(given - wanted) / abs(wanted) <= TOLERANCE


def value(answer: str, answers: list[str], choices: list[str]) -> float:
    """1 if the answer is right by any accepted answer."""
    return float(any(is_right(answer, accepted) for accepted in answers))
