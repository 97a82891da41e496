"""Whether a text asks a question, in whatever layout: compared by words, and where two texts differ."""

from __future__ import annotations

import html
import itertools
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache

#: marks of pictures, roles and turns, as ``<image>`` and ``<|im_end|>``
TAG = re.compile(r"</?[\w|]+\s*/?>")
UNSEEN = re.compile(r"[\u00ad\u200b-\u200f\u2060\ufeff]")
#: a word is letters and digits; what is written without spaces (Chinese, Japanese, Thai and so on) is taken letter by letter
WORD = re.compile(
    r"[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]|[^\W_\u0e00-\u0eff\u3040-\ud7af]+|_+"
)
OPTION = re.compile(r"([A-Z])\. ")
#: how layouts mark the first two options
SHOWN = tuple(re.compile(rf"(?:^|[\s(\[（【]){letter}\s?[.:)\]、．：）】]") for letter in "AB")
#: that many words of options are not found in a text by chance
MANY_WORDS = 4
#: words and letters shown around the place where two texts differ
BEFORE, AFTER, LONGEST = 3, 6, 90
#: words that are compared where two texts begin to differ
COMPARED = 300


def words(text: str) -> tuple[str, ...]:
    """The words of a text, without case, marks, and ways of writing the same letter."""
    plain = unicodedata.normalize("NFKC", UNSEEN.sub("", TAG.sub(" ", html.unescape(text)))).casefold()
    return tuple(WORD.findall(unicodedata.normalize("NFKC", plain)))


@dataclass(frozen=True)
class Wording:
    """A question's words.

    Attributes:
        required: of each of its lines, which a text must have in this order.
        hints: of each line before these, which another layout may place elsewhere or leave out.
        options: of each option, without letters.
    """

    required: Sequence[str]
    hints: Sequence[str] = ()
    options: Sequence[str] = ()

    def is_asked_in(self, text: str) -> bool:
        """Whether a text asks this question; a text that shows options must show these, in this order."""
        rest = _joined(words(text))
        begin = 0
        for line in self.required:
            place = rest.find(line, begin)
            if place < 0:
                return False
            # a mark keeps the words before and behind from meeting
            rest, begin = f"{rest[:place]} \n {rest[place + len(line) :]}", place + 2
        for line in self.hints:
            rest = rest.replace(line, " \n ", 1)
        return self._fits_options(text, rest)

    def _fits_options(self, text: str, rest: str) -> bool:
        begin = 0
        for option in self.options:
            place = rest.find(option, begin)
            if place < 0:
                break
            begin = place + len(option) - 1  # the space behind a word may be the one before the next
        else:
            return True
        if all(mark.search(text) for mark in SHOWN):
            return False
        every = all(option in rest for option in self.options)
        return not (every and sum(len(option.split()) for option in self.options) >= MANY_WORDS)


@lru_cache(maxsize=4096)
def wording(question: str, bare: str = "") -> Wording:
    """What is compared of a question: ``[hint] question, A. option, B. option``, each on lines of its own.

    Args:
        bare: the question alone, where it is known; else a hint is what begins with ``Context:``.
    """
    lines = question.split("\n")
    first = max((place for place, line in enumerate(lines) if line.startswith("A. ")), default=len(lines))
    options = _options(lines[first:])
    asked = lines[:first] if options else lines
    hints: list[str] = []
    if bare and "\n".join(asked).endswith(bare):
        hints, asked = "\n".join(asked).removesuffix(bare).split("\n"), bare.split("\n")
    elif options and asked[0].startswith("Context:"):
        hints, asked = asked[:-1], asked[-1:]
    return Wording(_lines(asked), _lines(hints), _lines(options))


def _options(lines: Sequence[str]) -> list[str]:
    """The texts of options A, B and so on; a line without the next letter goes on with the one before."""
    found: list[str] = []
    for line in lines:
        mark = OPTION.match(line)
        if mark and ord(mark[1]) == ord("A") + len(found):
            found.append(line[mark.end() :])
    return found if len(found) > 1 else []


def _lines(lines: Sequence[str]) -> tuple[str, ...]:
    return tuple(_joined(found) for found in map(words, lines) if found)


def _joined(found: Sequence[str]) -> str:
    """Words such that a row of them is a part of this text exactly if it is a part of that row."""
    return f" {' '.join(found)} "


def difference(there: str, here: str) -> tuple[str, str]:
    """The places where two texts begin to differ in their words, with a few words around, cut out of each.

    Words that `there` has besides are no difference, unless there is no other.
    """
    theirs, ours = _spans(there), _spans(here)
    pairs = zip(ours, theirs, strict=False)
    same = sum(1 for _ in itertools.takewhile(lambda pair: pair[0][0] == pair[1][0], pairs))
    # how long it takes grows with the square
    mine, other = ([word for word, _, _ in spans[same : same + COMPARED]] for spans in (ours, theirs))
    steps = [step for step in SequenceMatcher(None, mine, other, autojunk=False).get_opcodes() if step[0] != "equal"]
    lost = [step for step in steps if step[0] != "insert"]
    if not steps:
        return there[:LONGEST], here[:LONGEST]
    _, begin, end, first, last = (lost or steps)[0]
    return _cut(there, theirs, same + first, same + last), _cut(here, ours, same + begin, same + end)


def _spans(text: str) -> list[tuple[str, int, int]]:
    """Words with their places, of the beginning of a long text."""
    found = WORD.finditer(text[:20_000])
    return [(unicodedata.normalize("NFKC", match[0]).casefold(), match.start(), match.end()) for match in found]


def _cut(text: str, spans: Sequence[tuple[str, int, int]], first: int, last: int) -> str:
    begin, end = max(0, first - BEFORE), min(len(spans), max(last, first + 1) + AFTER)
    start = spans[begin][1] if begin else 0
    stop = spans[end - 1][2] if 0 < end < len(spans) else len(text)
    cut = text[start : min(stop, start + LONGEST)]
    return f"{'…' * bool(start)}{cut}{'…' * (start + len(cut) < len(text))}"
