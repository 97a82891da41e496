"""CIDEr-D, BLEU, ROUGE_L and METEOR by pycocoevalcap, taken apart into counts of each image.

So the set's numbers are formulas over sums, as every metric here, and can be resampled. CIDEr's document frequencies are
those of the whole set in every resample. Source: salaniz/pycocoevalcap at ad63453; METEOR 1.5 (Denkowski and Lavie, 2014).
"""

from __future__ import annotations

import logging
import subprocess
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from mipha_eval.core.children import Child
from mipha_eval.core.errors import UserError
from mipha_eval.core.library_messages import log_lines
from mipha_eval.core.metrics import Metric, Number, Totals
from mipha_eval.core.provenance import TOKENIZER
from mipha_eval.core.stopping import give_up_if_asked

logger = logging.getLogger(__name__)

ORDERS = (1, 2, 3, 4)
TINY, SMALL = 1e-15, 1e-9  # as in pycocoevalcap's BLEU
METEOR_NUMBERS = 23
#: METEOR's settings for English: the four matchers' weights, then alpha, beta, gamma, delta
MATCHERS = (1.0, 0.6, 0.8, 0.6)
ALPHA, BETA, GAMMA, DELTA = 0.85, 0.2, 0.6, 0.75


def count_images(candidates: Sequence[str], references: Sequence[Sequence[str]], *, meteor: bool) -> list[dict[str, float]]:
    """Counts of each image from tokenized captions; ``cider`` and ``rouge`` are the image's own values."""
    values = zip(_cider(candidates, references), _rouge(candidates, references), strict=True)
    counts = [
        {"images": 1.0, "cider": cider, "rouge": rouge, **bleu}
        for (cider, rouge), bleu in zip(values, _bleu(candidates, references), strict=True)
    ]
    if meteor:
        for own, numbers in zip(counts, _meteor(candidates, references), strict=True):
            own.update({f"meteor{place}": number for place, number in enumerate(numbers)})
    return counts


def _by_place(candidates: Sequence[str], references: Sequence[Sequence[str]]) -> tuple[dict[int, list[str]], ...]:
    truths = {place: list(captions) for place, captions in enumerate(references)}
    return truths, {place: [caption] for place, caption in enumerate(candidates)}


def _cider(candidates: Sequence[str], references: Sequence[Sequence[str]]) -> list[float]:
    from pycocoevalcap.cider.cider import Cider

    if not any(caption for captions in references for caption in captions):
        return [0.0] * len(candidates)  # no words, no document frequencies: the library fails there
    _, values = Cider().compute_score(*_by_place(candidates, references))
    return [float(value) for value in values]


def _rouge(candidates: Sequence[str], references: Sequence[Sequence[str]]) -> list[float]:
    from pycocoevalcap.rouge.rouge import Rouge

    _, values = Rouge().compute_score(*_by_place(candidates, references))
    return [float(value) for value in values]


def _bleu(candidates: Sequence[str], references: Sequence[Sequence[str]]) -> list[dict[str, float]]:
    from pycocoevalcap.bleu.bleu_scorer import BleuScorer

    scorer = BleuScorer(n=max(ORDERS))
    for candidate, captions in zip(candidates, references, strict=True):
        scorer += (candidate, list(captions))
    rows = []
    for own in scorer.ctest:
        closest = min((abs(length - own["testlen"]), length) for length in own["reflen"])[1]
        counts = {"length": own["testlen"], "closest": closest}
        for order in ORDERS:
            counts |= {f"guess{order}": own["guess"][order - 1], f"correct{order}": own["correct"][order - 1]}
        rows.append({name: float(count) for name, count in counts.items()})
    return rows


def _meteor(candidates: Sequence[str], references: Sequence[Sequence[str]]) -> list[list[float]]:
    """METEOR's statistics of each image: lengths, matches of four matchers, chunks, matched words."""
    from pycocoevalcap.meteor.meteor import Meteor

    pairs = zip(candidates, references, strict=True)
    try:
        give_up_if_asked()
        java = _meteor_process()
        try:
            own = SimpleNamespace(meteor_p=java)  # all of itself that METEOR's class looks at here
            lines = [Meteor._stat(own, caption, list(truth)) for caption, truth in pairs]
        finally:
            java.kill()  # it would wait for more, and its messages would have no end
            log_lines(java.communicate()[1], logger)
            java.check()
    except OSError as error:
        raise UserError(f"METEOR cannot run in Java ({error}); choose tokenizer=treebank") from error
    rows = [[float(number) for number in line.split()] for line in lines]
    if any(len(numbers) != METEOR_NUMBERS for numbers in rows):
        raise UserError("METEOR stopped or answered otherwise than expected; choose tokenizer=treebank")
    return [_without_one_chunk(numbers) for numbers in rows]


def _meteor_process() -> Child[bytes]:
    """METEOR's Java."""
    from pycocoevalcap.meteor import meteor

    return Child(
        ["java", "-Xmx2G", "-jar", meteor.METEOR_JAR, "-", "-", "-stdio", "-l", "en", "-norm"],
        brief=True,
        cwd=Path(meteor.__file__).parent,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def _without_one_chunk(numbers: list[float]) -> list[float]:
    """METEOR counts a caption that matches as a whole as no fragment at all, also when it sums up."""
    chunks, candidate_words, reference_words = numbers[20:]
    whole = chunks <= 1 and [candidate_words, reference_words] == numbers[:2]
    return [*numbers[:20], 0.0 if whole else chunks, candidate_words, reference_words]


def bleu(order: int, totals: Totals) -> Number:
    """BLEU of the set up to n-grams of `order`, 0 to 100."""
    product: Number = 1.0
    for each in range(1, order + 1):
        product = product * (totals[f"correct{each}"] + TINY) / (totals[f"guess{each}"] + SMALL)
    ratio = (totals["length"] + TINY) / (totals["closest"] + SMALL)
    return 100 * product ** (1 / order) * np.exp(np.minimum(0.0, 1 - 1 / ratio))


def meteor(totals: Totals) -> Number:
    """METEOR of the set from sums of its statistics, 0 to 100."""
    numbers = [totals.get(f"meteor{place}") for place in range(METEOR_NUMBERS)]  # none where Java is missing
    shares = []
    for side in (0, 1):  # the candidate's words, then the references'
        length, function_words = numbers[side], numbers[2 + side]
        matched = sum(
            weight * (DELTA * numbers[4 + 4 * place + side] + (1 - DELTA) * numbers[6 + 4 * place + side])
            for place, weight in enumerate(MATCHERS)
        )
        shares.append(totals.ratio(matched, DELTA * (length - function_words) + (1 - DELTA) * function_words))
    precision, recall = shares
    mean = totals.ratio(precision * recall, ALPHA * precision + (1 - ALPHA) * recall)
    chunks, candidate_words, reference_words = numbers[20:]
    fragments = totals.ratio(2 * chunks, candidate_words + reference_words)
    return 100 * mean * (1 - GAMMA * fragments**BETA * (fragments > 0))


def _mean(name: str, part: str, totals: Totals) -> Number:
    prefix = f"{part}/" if part else ""
    return 100 * totals.ratio(totals[f"{prefix}{name}"], totals[f"{prefix}images"])


def caption_metrics(tokenizer: str, parts: Sequence[str]) -> list[Metric]:
    """CIDEr first, the scores scaled so that CIDEr's 1.0 is 100, as tables show it; then CIDEr of each part."""
    most = (0.0, 100.0)
    cider = partial(Metric, unit="points", bounds=(0.0, 1000.0))  # an image has 10 at most
    metrics = [
        cider("CIDEr", partial(_mean, "cider", "")),
        *(Metric(f"BLEU-{order}", partial(bleu, order), unit="points", bounds=most) for order in ORDERS),
        Metric("METEOR", meteor, unit="points", needs=("meteor",), bounds=most),
        Metric("ROUGE_L", partial(_mean, "rouge", ""), unit="points", bounds=most),
        *(cider(f"{part}/CIDEr", partial(_mean, "cider", part), needs=(f"{part}/",)) for part in parts),
    ]
    return [metric.made(TOKENIZER, tokenizer) for metric in metrics]
