"""Which option letters a text claims: those it states as the answer, those it only names, and those it denies.

"A" before a word is an article and "I" a pronoun, unless what follows shows that they are letters ("A is correct").
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

#: how much of the text on either side of a letter is looked at
REACH = 80
#: how far before it a verb or a noun that introduces it may begin
NEAR = 32

QUOTED = re.compile(r"""(?<!\w)["'“‘*$_]([A-Za-z])[.):]?["'”’*$_](?!\w)""")
LABEL_ABOVE = re.compile(r"(:|\bis|\banswer|答案|是)\n", re.IGNORECASE)

#: a letter alone: no part of a word, a contraction, an abbreviation (U.S.A.), a unit (25 °C), a compound (T-shirt) or C++
STANDING = re.compile(
    r"(?<![A-Za-z0-9_'’°-])(?<!\b[A-Za-z]\.)([A-Za-z])(?![A-Za-z0-9_'’]|-\w|\+\+|#(?!#)|\.[A-Za-z](?![A-Za-z])|\.\d)",
    re.ASCII,
)

ANSWER = r"(?:answers?|ans|solution|conclusion|response|réponse|respuesta|antwort|resposta|risposta|ответ)"
PRAISE = r"(?:correct|right|best|closest|final|chosen|my|most\s+\w+)"
COPULA = r"(?:\b(?:is|was|are|be|est|ist|es|é)\b|['’]s\b|[:=→]|->|[–—]|\s-(?=\s)|是|为|は|은|는|选)"
HEDGE = r"(?:that|likely|probably|most\s+likely|definitely|clearly|therefore|thus|just)"
FILLER = rf"(?:(?:{HEDGE}|option|choice|letter|answer|number|the|la|le|el|die|der|das)\b|选项|选择?)"
#: what stands before a letter that is stated as the answer
STATED = re.compile(
    rf"(?:\b{ANSWER}\b|\b{PRAISE}\s+(?:option|choice|letter|selection|one|match)\b|答案|正确选项|正解|回答|答え|정답|답)"
    rf"(?:[^.!?;\n]{{0,50}}?{COPULA})?[\s:*\"'(\[{{<]*(?:{FILLER}[\s:*\"'(\[{{<]*)*\Z",
)
#: what follows such a letter
VERDICT = re.compile(
    r"\W*\s(?:is|was|seems|looks|appears|would\s+be|must\s+be|should\s+be|has\s+to\s+be)\s+(?:to\s+be\s+)?"
    r"(?:(?:clearly|probably|likely|definitely|indeed|therefore|the|most|best|only|more|an?)\s+)*"
    r"(?:correct|right|true|best|answer|accurate|appropriate|suitable|likely|closest|better|one)\b|\W*(?:是|为)?(?:正确|对的|最)",
)
OPTION = re.compile(r"(?:\b(?:options?|choices?|letters?|alternative)|选项|オプション)[\s:*\"'(\[]*\Z")
#: what stands before a letter that is only named
NAMED = re.compile(
    r"(?:\b(?:choos(?:e|ing)|chose|pick(?:ed)?|select(?:ed)?|go(?:ing)?\s+with|opt\s+for|prefer|say|guess|think|believe|suggest"
    r"|so|thus|hence|therefore|then|maybe|perhaps|probably|likely|definitely|certainly|either|neither|both|not)\b|n['’]t\b"
    rf"|(?:{COPULA})|选择?|因此|所以|故)[\s:*\"'(\[]*(?:{FILLER}[\s:*\"'(\[]*)*\Z",
)
OPEN, CLOSE = re.compile(r"(?<!\w)[(\[{<「『【]\s*\Z"), re.compile(r"\s*[)\]}>」』】]")
BEGIN = re.compile(r"(?:\A|[.!?;,。！？；，]\s?)[^\w.!?;,]*\Z")
FIRST = re.compile(r"[.):]|\s*\Z|\s+(?:because|since)\b")
ENDED = re.compile(r"[\s)\]}>\"'*]*(?:[.,;:!?。，；：！？]|\Z)")
#: what may follow a second letter besides marks; a pronoun "I" is none before a verb
GOES_ON = r"(?:or|and|are|were|both|can|may|might|must|(?:c|w|sh)ould)\b"
#: a second letter in one breath: "A or B", "A, B and C", "A/B", "A and B are correct", "A or B is correct"
JOINED = re.compile(
    r"[)\]\"'*]{0,2}(?:\s*(?:\b(?:(?P<either>n?or)|and|vs)\b|[/&+、和或与及])\s*|\s*,\s*(?:(?:or|and)\s+)?|\s+)(?:option\s+)?"
    r"[(\[\"'*]{0,2}(?!I\s+(?!or\b|and\b)[a-z])(?P<second>[A-Z])(?![\w'’-])"
    rf"(?=[)\]\"'*]{{0,2}}\s*(?:[.,;!?/&)、。，]|\Z|{GOES_ON}|(?(either)is\b|(?!))))"
)

#: what a letter that is a line of its own has not beside it: words, a grade's plus, a question mark
BESIDE = re.compile(r"[\w+?]")
#: what stands before and behind a letter that is only asked about: "Is the answer B?"
ASKS = re.compile(
    r"(?:\A|[.!?;:,]\s*)(?:(?:so|but|or)\s+)?(?:is|was|(?:c|w|sh)ould|can|might)\s+(?:it|that|this|the)\b[^.!?;]{0,50}\Z"
)
ASKED = re.compile(r"[)\]}>\"'*\s]{0,4}\?")

CLAUSE = re.compile(r"[.!?;,\n。，；！？]|\b(?:but|so|thus|hence|therefore|however|because|since)\b")
DENIAL = re.compile(
    r"\b(?:not|never|neither|nor|cannot|no|without|except|excluding|unlikely|wrong|incorrect|false|instead\s+of|rather\s+than"
    r"|other\s+than|rul(?:e|es|ed|ing)\s+out|eliminat\w+|exclud\w+)\b|n['’]t\b|[不非没無错]|排除",
)
#: words behind a letter in which it may be denied: "B can be ruled out"
DENIED_WITHIN = 5
CLAUSE_END = re.compile(r"[.,:;!?\n(—–。，；：]|\s-\s|\b(?:because|since|as|but|so)\b")

#: words that an article or a pronoun never precedes, so that the letter before them is one
NO_NOUN = """is are was were because since as or and nor seems looks appears would should must does has shows which with but
not if for in on to by based given due a an the"""
NO_VERB = "is or nor because since"
AFTER_LETTER = {"A": set(NO_NOUN.split()), "I": set(NO_VERB.split())}


class Standing(Enum):
    """How a text puts a letter: as the answer, as one that it speaks of, or as one that it is not."""

    STATED = auto()
    NAMED = auto()
    DENIED = auto()


@dataclass(frozen=True, slots=True)
class Claim:
    """A letter in a text.

    Attributes:
        behind: the rest of its line.
    """

    letter: str
    standing: Standing
    behind: str


def claims(text: str) -> Iterator[Claim]:
    """Every letter that a text claims, in its order. `text` must have been unwrapped."""
    text = LABEL_ABOVE.sub(r"\1 ", QUOTED.sub(r"(\1)", text))
    for found in STANDING.finditer(text):
        before = text[max(0, found.start() - REACH) : found.start()].rpartition("\n")
        after = text[found.end() : found.end() + REACH].partition("\n")
        whole = before[1] or found.start() <= REACH  # else the line begins further to the left
        yield from _claims(found[1], (before[2] if whole else f"x{before[2]}").lower(), after[0])


def _claims(letter: str, before: str, behind: str) -> Iterator[Claim]:
    """What one letter claims, and a second one that is joined to it.

    Args:
        before: what stands before it in its line, in lower case, as it is for all patterns but `JOINED`.
        behind: what stands behind it.
    """
    after = behind.lower()
    bracketed = bool(OPEN.search(before) and CLOSE.match(after))
    if (not bracketed and _is_word(letter, before, after)) or (ASKED.match(after) and ASKS.search(before)):
        return
    joined = JOINED.match(behind) if letter.isupper() or bracketed else None
    verdict = VERDICT.match(after) or (joined and VERDICT.match(behind[joined.end() :].lower()))
    stated = STATED.search(before) or verdict or not (BESIDE.search(before) or BESIDE.search(after))
    if not stated and not _is_named(letter, before, after, bracketed or joined is not None):
        return
    if letter.islower() and not bracketed and not _is_marked(before, after):
        return
    denied = _is_denied(before, after)
    standing = Standing.DENIED if denied else Standing.STATED if stated else Standing.NAMED
    yield Claim(letter.upper(), standing, behind)
    if joined:
        yield Claim(joined["second"], standing, "")


def _is_word(letter: str, before: str, after: str) -> bool:
    """Whether a letter is the article or the pronoun that it may be."""
    following = re.match(r"\s+([a-z]+)", after)
    known = AFTER_LETTER.get(letter.upper())
    if known is None or following is None:
        return False
    labelled = OPTION.search(before) is not None
    if following[1] in known:
        return letter.islower() and not labelled
    return letter.islower() or not labelled


def _is_named(letter: str, before: str, after: str, marked: bool) -> bool:
    if marked or OPTION.search(before):
        return True
    begins = BEGIN.search(before) is not None
    return (begins and (letter.isupper() or FIRST.match(after) is not None)) or NAMED.search(before[-NEAR:]) is not None


def _is_marked(before: str, after: str) -> bool:
    """Whether a lower-case letter is set apart: by what follows if it is the first word, else by ending its clause."""
    if OPTION.search(before) or VERDICT.match(after):
        return True
    return bool(FIRST.match(after) if BEGIN.search(before) else ENDED.match(after))


def _is_denied(before: str, after: str) -> bool:
    if DENIAL.search(CLAUSE.split(before)[-1]):
        return True
    clause = CLAUSE_END.split(after.lstrip(")]}>*\"' "), maxsplit=1)[0]
    return bool(DENIAL.search(" ".join(clause.split()[:DENIED_WITHIN])))
