"""Answers made to trip scorers: right ones, wrong ones and nonsense, in every dress that models and files give them."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from mipha_eval.core.types import Sample

PLAIN = """yes no Yes No YES NO none None nan not now y n other unanswerable unsuitable A B C D E a b Z 0 1 2 3 10 1,000
3.5 .5 two Two ten a the an dont isnt couldnt've somebody'd 'ows'at im oclock t-shirt men's a/b left top""".split()  # noqa: SIM905
SENTENCES = (
    *("The answer is {}.", "The answer is {}", "the correct answer is **{}**", "Answer: {}", "It is {}.", "{}, I think"),
    *("({})", "{}.", "{}. ", "{})", "**{}**", "[{}]", "{}:", '"{}"', "`{}`", "{} {}", "{} or not", "I do not know, {}?"),
    *("No, {}", "Yes. {}", "A {} in the picture", "There is no {}", "{}!", "{}...", "{};", "- {}", "{}\n{}", "\t{}", " {} "),
)
ODD = (
    *(
        "",
        " ",
        ".",
        "\n",
        "\t",
        "\0",
        "\ud800",
        "。",
        "，",
        "！",
        "１",
        "é",
        "猫",
        "A" * 300,
        "." * 40 + "x.",
        "a b c d e A f g h",
    ),
    *(
        "Failed to obtain answer via API",
        "Cannot determine the answer",
        "I can't process this file.",
        "1,0,0",
        "3.",
        "U.S.A.",
    ),
)
CHANGES: tuple[Callable[[str], str], ...] = (
    str.upper,
    str.lower,
    str.title,
    str.strip,
    lambda text: text.replace("'", ""),
    lambda text: text.replace(" ", "\t"),
    lambda text: text.replace(" ", "  "),
    lambda text: text + "\n",
    lambda text: f"the {text}",
    lambda text: text.replace(" ", "-"),
    lambda text: text[1:],
    lambda text: text[:-1],
    lambda text: f"{text}。",
    lambda text: f"{text} {text}",
)


def adversarial_answer(rng: random.Random, sample: Sample, samples: Sequence[Sample]) -> str:
    """An answer to `sample`: often one of its own references, sometimes another question's, dressed up at random."""
    kind = rng.random()
    if kind < 0.08:
        return rng.choice(ODD)
    if kind < 0.2:
        return "".join(rng.choices("aAbBnNoOyesthe019 .,-/?!'\"\n\t()*:;", k=rng.randint(1, 12)))
    base = rng.choice(rng.choice((sample, sample, sample, rng.choice(samples))).label_texts or ("",))
    text = rng.choice(PLAIN) if kind < 0.35 else base
    if rng.random() < 0.5:
        text = rng.choice(SENTENCES).replace("{}", text)
    for change in rng.sample(CHANGES, rng.choice((0, 0, 0, 1, 1, 2))):
        text = change(text)
    return text + rng.choice(ODD) if rng.random() < 0.05 else text
