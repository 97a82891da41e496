"""A free-form integer or decimal number as MathVista compares it: as texts, after cutting or rounding.

Follows normalize_extracted_answer and safe_equal in evaluation/calculate_score.py of lupantech/MathVista. The official
extraction by a language model is left out: the answer is what is normalised. In data/testmini.json the form of all 458
integer and decimal answers is their type and precision, so the accepted answer's form is taken for both here.

What the normalisation does: the text is read by Python's float(): spaces around it, a sign, an exponent, single
underscores between digits and any script's digits are read; thousands' separators, units, percent and currency signs,
fractions and sentences are not, and the answer is wrong. For an integer, the decimals are cut off ("3.9" is 3, "-0.5" is
0), and infinity is wrong. For decimals the number is rounded to as many as the accepted answer has, exact halves of the
binary number to even ("0.125" is 0.12, "2.675" is 2.67). The result is written as Python writes it and compared with the
accepted text, character by character. So an accepted answer that Python would write otherwise is never reached: 0.50
(written 0.5), +3, 007, integers above 2 to the power of 53 that no float is; and -0.04 is not right for 0.0 (written -0.0).

Others differ. VLMEvalKit neither cuts nor rounds: int(answer) or float(answer) must equal the accepted number. lmms-eval
hands over the precision as the data set has it, a float, with which Python's round() fails, so that no decimal is right.
The results that the repository keeps in results/ are of an earlier script that took "5.0" for no integer.
"""

import re
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Context, Decimal

SOURCE = "lupantech/MathVista@53d525874bdd"

FORM = re.compile(r"[+-]?[0-9]+(?:\.([0-9]+))?")
#: The exact value of a float has at most 1074 decimals and 309 digits before them.
EXACT = Context(prec=1500)


def normalised(text: str, decimals: int) -> str | None:
    """A text as it is compared; None if it is no number. No decimals: an integer."""
    try:
        number = Decimal(float(text))
    except ValueError:
        return None
    if not number.is_finite():
        return None
    if not decimals:
        return str(int(number.quantize(Decimal(1), ROUND_DOWN, EXACT)))
    return str(float(number.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_EVEN, EXACT)))


def is_right(answer: str, accepted: str) -> bool:
    """Whether an answer is right by one accepted answer; ValueError if that is neither an integer nor decimals."""
    form = FORM.fullmatch(accepted)
    if form is None:
        raise ValueError(f"{accepted!r} is neither an integer nor a decimal number")
    return normalised(answer, len(form.group(1) or "")) == accepted


def value(answer: str, answers: list[str], choices: list[str]) -> float:
    """1 if the answer is right by any accepted answer."""
    return float(sum(is_right(answer, accepted) for accepted in answers) > 0)
