"""Factors of an ablation: what tells the models of a table apart, by the names that runs and publications have for it."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from mipha_eval.core.errors import UserError
from mipha_eval.core.options import unknown

UNKNOWN = "unknown"
NOT_SET = "not set"  # an option that was left to the model

WHOLE = re.compile(r"^(-?\d+)\.0+$")  # of a number that some write as 384.0

#: a fact -> where else it may stand: in runs of before, in published scores, in what users call it
ELSEWHERE: Mapping[str, Sequence[str]] = {
    "language_model": ("llm",),
    "llm": ("language_model",),
    "tower": ("tower_name", "vision"),
    "tower_name": ("vision",),
    "vision": ("tower_name", "tower"),
    "trained": ("tuning",),
    "tuning": ("trained",),
}
#: a fact -> what else the same is called
OTHER_NAMES: Mapping[str, str] = {
    "language_model": "llm",
    "llm": "language_model",
    "tower_name": "vision",
    "vision": "tower_name",
    "trained": "tuning",
    "tuning": "trained",
}
#: headings of columns that are more than the name with a capital
HEADINGS: Mapping[str, str] = {
    "resolution": "Resolution (px)",
    "tower_name": "Tower weights",
    "trained": "Trained parts",
    "lora_rank": "LoRA rank",
    "llm": "LLM",
    "parameters": "Parameters (B)",
    "dtype": "Precision",
}
#: facts that differ wherever models do, and say nothing about an ablation
OF_EVERY_MODEL = frozenset(
    {"parameters", "path", "revision", "weights", "vision_tower", "published", "name", "base", "device"}
)
#: a factor -> what cannot but differ with it
IMPLIED: Mapping[str, frozenset[str]] = {
    "tower": frozenset({"tower_name", "vision"}),
    "tower_name": frozenset({"tower", "vision"}),
    "vision": frozenset({"tower", "tower_name"}),
    "language_model": frozenset({"llm"}),
    "llm": frozenset({"language_model"}),
    "trained": frozenset({"tuning", "tower_tuning", "projector_tuning", "language_model_tuning", "lora_rank"}),
    "tuning": frozenset({"trained", "tower_tuning", "projector_tuning", "language_model_tuning", "lora_rank"}),
    "tower_tuning": frozenset({"trained"}),
    "projector_tuning": frozenset({"trained"}),
    "language_model_tuning": frozenset({"trained", "lora_rank"}),
    "lora_rank": frozenset({"trained", "language_model_tuning"}),
}


#: what differs for no other reason than that one of these does
SEEN_IN: Mapping[str, Sequence[str]] = {
    "tower_name": ("tower",),
    "vision": ("tower", "tower_name"),
    "llm": ("language_model",),
    "trained": ("tower_tuning", "projector_tuning", "language_model_tuning", "lora_rank"),
    "tuning": ("trained", "tower_tuning", "projector_tuning", "language_model_tuning", "lora_rank"),
}
#: facts that can be compared with what published scores call them
IN_OTHER_WORDS = ("language_model", "tower")


@dataclass(frozen=True)
class Fact:
    """What is known of a row.

    Attributes:
        text: as it stands in the table.
        known: whether anything is.
        own: whether it stands under its own name, so that equal texts are the same and others are not.
    """

    text: str
    known: bool = True
    own: bool = True


def fact_of(facts: Mapping[str, str], name: str) -> Fact:
    """A fact by its name, or by another that it may stand under."""
    for key in (name, *ELSEWHERE.get(name, ())):
        if key in facts and (text := facts[key]) != UNKNOWN:
            return Fact(NOT_SET if text in ("", "None") else WHOLE.sub(r"\1", text), own=key == name)
    return Fact(UNKNOWN, known=False)


def implied_by(factor: str) -> frozenset[str]:
    """What cannot but differ with a factor."""
    return IMPLIED.get(factor, frozenset())


def heading_of(factor: str) -> str:
    """What stands above its column."""
    return HEADINGS.get(factor) or factor.replace("_", " ").capitalize()


def words(factor: str) -> str:
    """It within a sentence."""
    return {"lora_rank": "LoRA rank", "llm": "LLM"}.get(factor) or factor.replace("_", " ")


def chosen_factors(asked: Iterable[str], known: Sequence[Mapping[str, str]]) -> tuple[str, ...]:
    """The factors that were asked for, each once; ``-`` and ``_`` are alike, and capitals do not matter.

    Args:
        asked: names, or several with commas between them.
        known: facts of the rows.

    Raises:
        UserError: no row has one of them.
    """
    names = list(dict.fromkeys(name for facts in known for name in facts))
    found = [name.strip() for text in asked for name in text.split(",")]
    plain = {name.casefold().replace("-", "_"): name for name in (*ELSEWHERE, *names)}
    factors = [plain.get(name.casefold().replace("-", "_"), name) for name in found]
    for factor in factors:
        if not any(fact_of(facts, factor).known for facts in known):
            raise UserError(unknown("factor", factor, names, "these runs have"), flag="--by")
    return tuple(dict.fromkeys(factors))


@dataclass(frozen=True)
class Levels:
    """The levels of a factor in their order: numbers by size, else as rows have them; what is not known comes last."""

    factor: str
    texts: tuple[str, ...]

    @classmethod
    def of(cls, factor: str, rows: Sequence[Mapping[str, str]]) -> Levels:
        facts = [fact for row in rows if (fact := fact_of(row, factor)).known]
        own = list(dict.fromkeys(fact.text for fact in facts if fact.own))
        texts = list(dict.fromkeys(fact.text if fact.own else _same(fact.text, own) or fact.text for fact in facts))
        numbers = [number_in(text) for text in texts]
        if all(number is not None for number in numbers):
            texts = [text for _, text in sorted(zip(numbers, texts, strict=True))]
        return cls(factor, tuple(texts))

    def level(self, facts: Mapping[str, str]) -> str | None:
        """A row's level; None if it is not known. In the words of others ``Phi-2 2.7B`` is the level ``Phi-2``."""
        fact = fact_of(facts, self.factor)
        if not fact.known:
            return None
        return fact.text if fact.text in self.texts else _same(fact.text, self.texts)

    def place(self, facts: Mapping[str, str]) -> int:
        """Where a row stands."""
        level = self.level(facts)
        return len(self.texts) if level is None else self.texts.index(level)


def number_in(text: str) -> float | None:
    """The number that a level is; None for words."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _same(text: str, levels: Sequence[str]) -> str | None:
    """The longest level that a text is, or begins with as a word of its own, whatever the capitals."""
    fitting = [
        level
        for level in levels
        if text.casefold() == level.casefold()
        or (text.casefold().startswith(level.casefold()) and text[len(level) : len(level) + 1] in (*" -/(,",))
    ]
    return max(fitting, key=len, default=None)


def differing(first: Mapping[str, str], second: Mapping[str, str], by: Collection[str]) -> dict[str, tuple[str, str]]:
    """What else differs between two rows: name -> what the first has and what the second has.

    Only what both are known to have; what differs in every model, and what cannot but differ with a factor, is left out.

    Args:
        first, second: what was chosen about each.
        by: the factors.
    """
    left_out = OF_EVERY_MODEL.union(by, *map(implied_by, by))
    found = {}
    for name in dict.fromkeys([*first, *IN_OTHER_WORDS]):
        one, other = (fact_of(row, name) for row in (first, second))
        if name in left_out or not (one.known and other.known) or not _differ(name, one, other):
            continue
        if _beside_resolution(name, first, by) != _beside_resolution(name, second, by):
            found[name] = (one.text, other.text)
    return {name: texts for name, texts in found.items() if not any(cause in found for cause in SEEN_IN.get(name, ()))}


def _beside_resolution(name: str, facts: Mapping[str, str], by: Collection[str]) -> str | int:
    """A fact without what follows from a resolution that is a factor: a part of a tower's name, and the number of tokens.

    Tokens and resolution go together where a token stands for as many pixels.
    """
    text, resolution, tokens = (fact_of(facts, key).text for key in (name, "resolution", "image_tokens"))
    if name == "tower_name" and "resolution" in by:
        return text.replace(resolution, "")
    side, number = number_in(resolution), number_in(tokens)
    if (name, True) in {("image_tokens", "resolution" in by), ("resolution", "image_tokens" in by)} and side and number:
        return round(side / math.sqrt(abs(number)))
    return text


def _differ(name: str, one: Fact, other: Fact) -> bool:
    if one.own and other.own:
        return one.text != other.text
    if name not in IN_OTHER_WORDS or one.own == other.own:  # two of another name are compared under that
        return False
    return _same(one.text, [other.text]) is None and _same(other.text, [one.text]) is None
