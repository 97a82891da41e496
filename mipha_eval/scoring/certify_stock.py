"""Compares stock scorers with their oracles, and writes down how they agree."""

from __future__ import annotations

import random
from collections.abc import Sequence

import msgspec

from mipha_eval.core.data_source import DataSource
from mipha_eval.core.errors import UserError
from mipha_eval.core.metrics import group_scores
from mipha_eval.core.options import unknown
from mipha_eval.core.types import Response, Sample, Score
from mipha_eval.data.questions import read_samples
from mipha_eval.scoring.answers.letters import REFUSALS
from mipha_eval.scoring.certificate import Certificate, RuleOracle, load_rule_oracle, rule_oracle_file
from mipha_eval.scoring.certify import CertifySettings, Comparison, draft, issue
from mipha_eval.scoring.result import score_responses
from mipha_eval.scoring.stock.drawn import DRAWS, drawn_answer, drawn_questions
from mipha_eval.scoring.stock.question import Question
from mipha_eval.scoring.stock.scorers import scorer_class
from mipha_eval.scoring.stock.stock_task import StockTask

#: what the names of their certificates begin with
STOCK = "stock"
QUESTIONS = 200


def with_oracles() -> list[str]:
    """The stock scorers that can be certified, as ``stock-NAME``."""
    return [f"{STOCK}-{scorer}" for scorer in DRAWS if rule_oracle_file(scorer).is_file()]


def drawn_task(scorer: str, questions: Sequence[Question]) -> StockTask:
    """A task with these questions, and a scorer's own rule and options."""
    own = {"name": f"{STOCK}-{scorer}", "protocols": {"drawn": ""}, "questions": lambda _: questions}
    owner: type[StockTask] = type("DrawnTask", (scorer_class(scorer),), own)
    return owner("drawn", DataSource("folder"))


def certify_stock(scorer: str, settings: CertifySettings) -> Certificate:
    """Compares a stock scorer and its oracle on at least `settings.answers` answers and writes ``stock-SCORER.json``.

    Raises:
        UserError: there is no such scorer, no oracle, or more than a rule scores it.
    """
    if scorer not in DRAWS:
        scorer_class(scorer)
        raise UserError(unknown("stock scorer that a rule alone gives", scorer, DRAWS))
    oracle = load_rule_oracle(scorer)
    rng = random.Random(settings.seed)
    task = drawn_task(scorer, drawn_questions(scorer, rng, QUESTIONS))
    samples = read_samples(task)
    comparison = Comparison(oracle.file, oracle.source)
    rounds = -(-settings.answers // len(samples))
    for _ in range(rounds):
        texts = {sample.id: drawn_answer(rng, sample, samples) for sample in samples}
        result = score_responses(task, samples, {name: Response(text) for name, text in texts.items()})
        theirs = _compared(comparison, oracle, samples, texts, result.scores)
        headline = result.summary.headline
        groups = [min(theirs[score.sample] for score in group) for group in group_scores(result.scores)]
        comparison.add(result.summary.metrics.get(headline), 100 * sum(groups) / len(groups), f"metric {headline}")
    drafted = draft(task, samples, rounds, [comparison], headline)
    return issue(msgspec.structs.replace(drafted, task=task.name), task.name, settings)


def is_never_right(text: str, sample: Sample) -> bool:
    """Whether stock scorers give nothing for an answer, whatever official code would: a blank, a refusal to choose."""
    return not text.strip() or (bool(sample.choices) and any(refusal in text for refusal in REFUSALS))


def _compared(
    comparison: Comparison, oracle: RuleOracle, samples: Sequence[Sample], texts: dict[str, str], scores: Sequence[Score]
) -> dict[str, float]:
    """What the oracle makes of a round of answers, by sample; it is not asked about those that are never right."""
    theirs = {}
    for sample, score in zip(samples, scores, strict=True):
        text = texts[sample.id]
        asked = not is_never_right(text, sample)
        value = oracle.value(text, list(sample.target), list(sample.choices)) if asked else 0.0
        theirs[sample.id] = float(value)
        comparison.add(score.value, value, f"answer {text[:80]!r} to {list(sample.target)[:3]}")
    return theirs
