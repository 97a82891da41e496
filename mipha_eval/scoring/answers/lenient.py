"""The lenient reading of answers: what a person would take them to say, whatever they are wrapped in.

Shown beside the headline, never as it: it tells whether a low score is a model's or a format's. What is ambiguous, because
it names two letters, two options, or yes and no, is unread. `tests/test_lenient_reading.py` and
`tests/lenient_cases.py` list what is read as what, and who writes so.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from functools import lru_cache

from mipha_eval.core.alphabet import lettered
from mipha_eval.scoring.answers.claims import CLAUSE, DENIAL, Claim, Standing, claims
from mipha_eval.scoring.answers.polarity import read_polarity
from mipha_eval.scoring.answers.vqa import evalai_accuracy, normalize_evalai
from mipha_eval.scoring.answers.wrapping import unwrapped

#: what may stand around words without being a part of them
EDGES = " \t\n.,:;!?()[]{}<>\"'“”‘’«»*_`。，、：；！？（）「」『』【】《》"
AROUND_LETTER = EDGES + "-–—•→/\\|~^=$"
ARTICLE = re.compile(r"(?:a|an|the)\s+")

#: what an answer may be introduced by
INTRODUCTION = re.compile(
    r"(?:(?:so|thus|therefore|hence|then)\b[,\s]*)?"
    r"(?:(?:(?:the|my|this|a|an)\s+)?(?:(?:correct|right|final|best|short|single|most\s+\w+)\s+){0,3}"
    r"(?:answer|ans|option|choice|response)\b[^.!?:\n]{0,50}?(?:\b(?:is|was|be)\b\s*:?|[:=])\s*(?:that\s+)?"
    r"|(?:it|this|that|these|they|there)(?:'s|\s+is|\s+are|\s+was|'re)\s+"
    r"|i\s+(?:think|believe|guess|(?:would|'d)\s+say)\s+(?:that\s+)?"
    r"|(?:正确)?(?:答案|选项|回答)\s*[是为:]\s*)",
    re.IGNORECASE,
)
ANSWER_LINE = re.compile(
    r"(?:\A|\n|[.!?]\s+)(?:(?:so|thus|therefore|hence)\b,?\s*)?(?:the\s+|my\s+)?(?:(?:correct|final|short|best)\s+)?"
    r"(?:answer(?:\s+to\s+(?:the|this)\s+question)?\s*(?:is\s*:?|[:=])|答案\s*[是为:]|回答\s*:)\s*([^\n]+)",
    re.IGNORECASE,
)
LABEL = re.compile(r"A:\s")
#: too common to be looked for within a text
TOO_SHORT = {
    "a",
    "an",
    "the",
    "is",
    "it",
    "of",
    "in",
    "on",
    "at",
    "to",
    "and",
    "or",
    "no",
    "yes",
    "not",
    "none",
    "true",
    "false",
}
LONGEST_MENTION = 400
#: what is left of a sentence that is a question
ASKED = re.compile(r"[^.!?。！？]*[?？]")
EITHER_END = 1000
YES_NO = {"yes", "no", "Yes", "No"}


@lru_cache(maxsize=1 << 12)
def read_yes_no(text: str) -> str:
    """yes or no; empty if unread."""
    return read_polarity(unwrapped(text))


def read_letter(text: str, options: Sequence[str]) -> str:
    """The letter of the option that a text names, states or repeats; empty if unread.

    Args:
        options: their texts in the order of their letters; an empty one is no option, unless none has a text.
    """
    known = {letter: option for letter, option in lettered(options) if option or not any(options)}
    plain = unwrapped(text)
    alone = plain.strip(AROUND_LETTER)
    if len(alone) == 1 and alone.isascii() and alone.isalpha() and "+" not in plain:
        return alone.upper() if alone.upper() in known else ""
    wordings = {letter: wording for letter, option in known.items() if (wording := _wording(option))}
    repeated = _equal(_statements(plain), known, wordings)
    if repeated:
        return repeated[0] if len(repeated) == 1 else ""
    said = list(claims(_ends(plain)))
    if any(_contradicts(claim, wordings) for claim in said):
        return ""
    if any(claim.standing is Standing.STATED or claim.letter in known for claim in said):
        return _claimed(said, known)
    return _mentioned(plain, wordings)


@lru_cache(maxsize=1 << 16)
def read_short(text: str) -> str:
    """A short answer without what stands around it: wrappings, an introduction, quotes, full stops, prose behind it."""
    plain = unwrapped(text)
    stated = ANSWER_LINE.findall(plain)
    if stated and len({line.strip(EDGES).lower() for line in stated}) == 1:
        plain = stated[0]
    first, _, rest = plain.partition("\n")
    if rest and len(first.split()) <= 3 <= len(rest.split()):
        plain = first
    introduction = INTRODUCTION.match(plain) or LABEL.match(plain)
    return plain[introduction.end() if introduction else 0 :].strip().strip("\"'“”‘’«»`。.!！").strip()


def lenient_accuracy(text: str, humans: Sequence[str]) -> float:
    """The consensus of human answers with a short answer, 0 to 1; a yes or no is read where they are mostly that."""
    return evalai_accuracy(_short_for(text, humans), humans)


def lenient_equal(text: str, truth: str) -> bool:
    """Whether a short answer is the right one, case, articles, punctuation and number words aside."""
    return normalize_evalai(_short_for(text, [truth])) == normalize_evalai(truth)


def _short_for(text: str, answers: Sequence[str]) -> str:
    yes_no = sum(answer in YES_NO for answer in answers)
    return (2 * yes_no > len(answers) and read_yes_no(text)) or read_short(text)


def _wording(text: str) -> str:
    """Words as they are compared: case, spaces, marks around them and a first article aside."""
    words = " ".join(unicodedata.normalize("NFKC", text).lower().split()).strip(EDGES)
    return ARTICLE.sub("", words, count=1) if ARTICLE.match(words) else words


def _statements(plain: str) -> list[str]:
    """A text, and what is left of it without introductions."""
    found = [plain]
    while (introduction := INTRODUCTION.match(found[-1])) and len(found) < 4:
        found.append(found[-1][introduction.end() :])
    return found


def _equal(statements: Sequence[str], known: Mapping[str, str], wordings: Mapping[str, str]) -> list[str]:
    """Letters whose option is what the text says, to the character or else in words."""
    exact = {" ".join(statement.lower().split()) for statement in statements}
    letters = [letter for letter, option in known.items() if option and " ".join(option.lower().split()) in exact]
    words = {_wording(statement) for statement in statements}
    return letters if len(letters) == 1 else [letter for letter, wording in wordings.items() if wording in words]


def _ends(plain: str) -> str:
    """A text, or the beginning and the end of a long one, where an answer stands."""
    return plain if len(plain) <= 4 * EITHER_END else f"{plain[:EITHER_END]}\n{plain[-3 * EITHER_END :]}"


def _contradicts(claim: Claim, wordings: Mapping[str, str]) -> bool:
    """Whether the words behind a letter are another option's, as in "B. a dog" where A is a dog."""
    behind = claim.behind.strip(AROUND_LETTER)
    found = {_wording(words) for words in (claim.behind, behind, re.split(r"[.;,]\s|\s[-–—]\s", behind)[0])}
    named = {letter for letter, wording in wordings.items() if wording in found}
    return bool(named) and claim.letter not in named


def _claimed(said: Sequence[Claim], known: Mapping[str, str]) -> str:
    """The letter that a text states, else the only one that it names."""
    stated = [claim for claim in said if claim.standing is Standing.STATED]
    if not stated and any(claim.standing is Standing.DENIED for claim in said if claim.letter in known):
        return ""
    chosen = stated or [claim for claim in said if claim.letter in known]
    letters = {claim.letter for claim in chosen}
    return letters.pop() if len(letters) == 1 and letters <= known.keys() else ""


def _mentioned(plain: str, wordings: Mapping[str, str]) -> str:
    """The only option whose words stand in a text that is not long, and are not denied or asked about there."""
    if set(wordings.values()) <= {"yes", "no"} and wordings:
        said = read_polarity(plain)
        letters = [letter for letter, wording in wordings.items() if wording == said]
        return letters[0] if len(letters) == 1 else ""
    text = " ".join(unicodedata.normalize("NFKC", plain).lower().split())
    if len(text) > LONGEST_MENTION:
        return ""
    found: list[str] = []
    for letter, wording in sorted(wordings.items(), key=lambda pair: -len(pair[1])):
        if wording in TOO_SHORT or (len(wording) == 1 and wording.isalpha() and wording.isascii()):
            continue
        place = re.search(rf"(?<![^\W_]){re.escape(wording)}(?![^\W_])" if wording.isascii() else re.escape(wording), text)
        if place is None:
            continue
        if DENIAL.search(CLAUSE.split(text[: place.start()])[-1]) or ASKED.match(text, place.end()):
            return ""
        found.append(letter)
        text = re.sub(re.escape(wording), "\0", text)  # a shorter option may be a part of it
    return found[0] if len(found) == 1 else ""
