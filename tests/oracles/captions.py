"""Caption measures: CIDEr-D, corpus BLEU and ROUGE_L over Treebank tokens.

Follows cider_scorer.py, bleu_scorer.py, rouge.py and ptbtokenizer.py of salaniz/pycocoevalcap, with nltk's Treebank
tokenizer in place of the Java one.
"""

import math
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

from nltk.tokenize.treebank import TreebankWordTokenizer  # type: ignore[import-untyped,import-not-found,unused-ignore]

from .answer_file import read_answers, read_json
from .verdict import Verdict, mean, percentage

LONGEST = 4
SIGMA = 6.0
BETA = 1.2
TINY = 1e-15
SMALL = 1e-9
DROPPED = ("''", "'", "``", "`", "-LRB-", "-RRB-", "-LCB-", "-RCB-", ".", "?", "!", ",", ":", "-", "--", "...", ";")
TOKENIZER = TreebankWordTokenizer()

Words = list[str]
Phrase = tuple[str, ...]
Weights = list[dict[Phrase, float]]


class Caption(NamedTuple):
    """The words of a caption, and how often each phrase of one to four words occurs in it."""

    words: Words
    counts: Counter[Phrase]


class Captioned(NamedTuple):
    """One image: the caption to be judged and the captions that people wrote."""

    candidate: Caption
    references: list[Caption]


def words_of(text: str) -> Words:
    """The tokens of a text that are not punctuation."""
    tokens: list[str] = TOKENIZER.tokenize(text.lower().replace("\n", " "), convert_parentheses=True)
    return [token for token in tokens if token not in DROPPED]


def caption_of(words: Words) -> Caption:
    """A caption with its phrases counted."""
    counts: Counter[Phrase] = Counter()
    for length in range(1, LONGEST + 1):
        counts.update(tuple(words[place : place + length]) for place in range(len(words) - length + 1))
    return Caption(words, counts)


def document_frequencies(images: list[Captioned]) -> Counter[Phrase]:
    """For each phrase, in how many images' references it occurs."""
    frequencies: Counter[Phrase] = Counter()
    for image in images:
        frequencies.update({phrase for reference in image.references for phrase in reference.counts})
    return frequencies


def weights_of(caption: Caption, frequencies: Counter[Phrase], images: int) -> Weights:
    """Count times rarity of each phrase, apart for each length."""
    weights: Weights = [{} for _ in range(LONGEST)]
    for phrase, count in caption.counts.items():
        rarity = math.log(images) - math.log(max(1, frequencies[phrase]))
        weights[len(phrase) - 1][phrase] = count * rarity
    return weights


def likeness(candidate: Weights, reference: Weights) -> float:
    """The mean over the four lengths of the clipped cosine."""
    cosines = []
    for ours, theirs in zip(candidate, reference, strict=True):
        product = sum(min(weight, theirs[key]) * theirs[key] for key, weight in ours.items() if key in theirs)
        our_norm = math.sqrt(sum(weight**2 for weight in ours.values()))
        their_norm = math.sqrt(sum(weight**2 for weight in theirs.values()))
        cosines.append(product / (our_norm * their_norm) if our_norm and their_norm else product)
    return sum(cosines) / LONGEST


def length_penalty(candidate: Caption, reference: Caption) -> float:
    """The Gaussian penalty on the difference in length, which is counted in pairs of words."""
    difference = max(0, len(candidate.words) - 1) - max(0, len(reference.words) - 1)
    return math.exp(-(difference**2) / (2 * SIGMA**2))


def cider(images: list[Captioned]) -> list[float]:
    """The CIDEr-D value of each image, on the official scale (10 for a perfect match)."""
    frequencies = document_frequencies(images)
    results = []
    for image in images:
        ours = weights_of(image.candidate, frequencies, len(images))
        total = 0.0
        for reference in image.references:
            theirs = weights_of(reference, frequencies, len(images))
            total += likeness(ours, theirs) * length_penalty(image.candidate, reference)
        results.append(10.0 * total / len(image.references))
    return results


def clipped_matches(image: Captioned) -> list[int]:
    """For each length, how many of the candidate's sequences are in the references, each at most as often as there."""
    most: Counter[Phrase] = Counter()
    for reference in image.references:
        most |= reference.counts
    matches = [0] * LONGEST
    for phrase, count in image.candidate.counts.items():
        matches[len(phrase) - 1] += min(count, most[phrase])
    return matches


def closest_length(image: Captioned) -> int:
    """The reference length nearest to the candidate's; the shorter one of two that are equally near."""
    length = len(image.candidate.words)
    lengths = [len(reference.words) for reference in image.references]
    return min((abs(other - length), other) for other in lengths)[1]


def bleu(images: list[Captioned]) -> list[float]:
    """BLEU-1 to BLEU-4 of the whole set, between 0 and 1."""
    candidate_length = sum(len(image.candidate.words) for image in images)
    reference_length = sum(closest_length(image) for image in images)
    matches = [clipped_matches(image) for image in images]
    ratio = (candidate_length + TINY) / (reference_length + SMALL)
    brevity = math.exp(1 - 1 / ratio) if ratio < 1 else 1.0
    product = 1.0
    results = []
    for length in range(1, LONGEST + 1):
        right = sum(counts[length - 1] for counts in matches)
        guessed = sum(max(0, len(image.candidate.words) - length + 1) for image in images)
        product *= (right + TINY) / (guessed + SMALL)
        results.append(product ** (1 / length) * brevity)
    return results


def longest_common(left: Words, right: Words) -> int:
    """The length of the longest common subsequence."""
    row = [0] * (len(right) + 1)
    for word in left:
        diagonal = 0
        for place, other in enumerate(right, start=1):
            above = row[place]
            row[place] = diagonal + 1 if word == other else max(above, row[place - 1])
            diagonal = above
    return row[-1]


def rouge(image: Captioned) -> float:
    """ROUGE_L of one image: the best precision with the best recall; no words count as one empty word."""
    candidate = image.candidate.words or [""]
    precisions, recalls = [], []
    for reference in image.references:
        words = reference.words or [""]
        common = longest_common(candidate, words)
        precisions.append(common / len(candidate))
        recalls.append(common / len(words))
    precision, recall = max(precisions), max(recalls)
    if precision == 0 or recall == 0:
        return 0.0
    return (1 + BETA**2) * precision * recall / (recall + BETA**2 * precision)


def score_captions(annotations: Path, answers: Path, domains: bool) -> Verdict:
    """Score an answer file whose question ids are image ids against a file in COCO's format."""
    content: dict[str, Any] = read_json(annotations)
    references: dict[str, list[Caption]] = {}
    for row in content["annotations"]:
        references.setdefault(str(row["image_id"]), []).append(caption_of(words_of(row["caption"])))
    lines = read_answers(answers)
    images = [Captioned(caption_of(words_of(line.text)), references[line.question_id]) for line in lines]
    each = cider(images)
    metrics = {"CIDEr[treebank]": percentage(each)}
    for length, value in enumerate(bleu(images), start=1):
        metrics[f"BLEU-{length}[treebank]"] = 100.0 * value
    metrics["ROUGE_L[treebank]"] = 100.0 * mean([rouge(image) for image in images])
    if domains:
        domain_of = {str(row["id"]): row["domain"] for row in content["images"]}
        groups: dict[str, list[float]] = {}
        for line, value in zip(lines, each, strict=True):
            groups.setdefault(domain_of[line.question_id], []).append(value)
        for domain, group in groups.items():
            metrics[f"{domain}/CIDEr[treebank]"] = percentage(group)
    return Verdict([value / 10.0 for value in each], metrics)
