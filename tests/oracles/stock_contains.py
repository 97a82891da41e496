"""OCRBench's rule for all data sets but HME100k: an accepted answer is somewhere in the answer.

Follows OCRBench/example.py of Yuliang-Liu/MultimodalOCR. Both sides are lower-cased and stripped, then each line break
becomes a space (a carriage return stays, runs of spaces stay). It looks for characters, not words: "1" is in "2018".
HME100k keeps case and drops all spaces. lmms-eval folds full-width characters first; OCRBench v2 compares answers of
five and more words by edits.
"""

SOURCE = "Yuliang-Liu/MultimodalOCR@794c36d6423c"


def flat(text: str) -> str:
    """The text in which, and for which, is searched."""
    return " ".join(text.strip().lower().split("\n"))


def value(answer: str, answers: list[str], choices: list[str]) -> float:
    """1 if the answer holds any accepted answer."""
    return float(any(flat(accepted) in flat(answer) for accepted in answers))
