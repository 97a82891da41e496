"""Questions with options, of which the likeliest counts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from mipha_eval.core.errors import UserError
from mipha_eval.core.metrics import Metric, Tally, share
from mipha_eval.core.reading import Reading
from mipha_eval.core.types import Decoding, Request, Response, Sample, Score
from mipha_eval.data.rows import number_of
from mipha_eval.scoring.stock.options import right_letter, shown_letters
from mipha_eval.scoring.stock.question import Question
from mipha_eval.scoring.stock.stock_task import QuestionKind, StockTask

PER_TOKEN = "per_token"  # noqa: S105


@dataclass(frozen=True)
class LikelihoodTask(StockTask):
    """The option that the model most likely answers the bare question with, as SEED-Bench ranks them.

    Nothing is generated and no option is shown. `accuracy` is by the likelihood of the whole option, `per_token` by the mean
    over its tokens; of equal ones the first counts. An answer that is a text, such as a floor's, counts by its letter.

    Source: AILab-CVC/SEED-Bench at the paper's (arXiv:2307.16125) evaluation strategy, see ``tasks/seed.py``.
    """

    scorer: ClassVar[str] = "likelihood"
    kinds: ClassVar[Sequence[QuestionKind]] = ("choice",)
    lettered: ClassVar[bool] = True
    metrics: ClassVar[Sequence[Metric]] = (share("accuracy"), share(PER_TOKEN, PER_TOKEN))

    def asked(self, question: Question, name: str) -> Iterable[Sample]:
        return [self.sample(question, name, self.label_of(question), shown=False)]

    def target(self, question: Question) -> tuple[str, ...]:
        return (right_letter(question),)

    def request(self, sample: Sample) -> Request:
        options = tuple(option for option in sample.choices if option)
        if len(options) < 2:
            raise UserError(f"{self.label}: question {sample.id} has no options to rank")
        return Request(sample.prompt, sample.images, Decoding(self.max_new_tokens), sample.question_id, options)

    def score(self, sample: Sample, response: Response) -> Score:
        letters, truth = shown_letters(sample.choices), sample.target[0]
        if not response.likelihoods:
            letter = response.text.strip() if response.text.strip() in letters else ""
            return self.scored(sample, Reading(letter, "letter", parsed=bool(letter)), letter == truth)
        means = [total / tokens for total, tokens in zip(response.likelihoods, response.option_tokens, strict=True)]
        chosen, by_mean = (letters[values.index(max(values))] for values in (list(response.likelihoods), means))
        return self.scored(sample, Reading(chosen, "likeliest"), chosen == truth, per_token=float(by_mean == truth))

    def tally(self, scores: Sequence[Score]) -> Tally:
        ranked = [number_of(score.details, PER_TOKEN) for score in scores if PER_TOKEN in score.details]
        own = {f"{PER_TOKEN}/right": sum(ranked), f"{PER_TOKEN}/asked": float(len(ranked))} if ranked else {}
        return {**super().tally(scores), **own}
