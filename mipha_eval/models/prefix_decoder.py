"""Decoders of transformers that read prefixes once and answer all questions behind them together, greedily."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from mipha_eval.models.forward_inputs import ForwardInputs, tensor_of
from mipha_eval.models.live import Live, State
from mipha_eval.models.packed import PrefixPass, PrefixRead, QuestionPass, SharedCache, packed_attention
from mipha_eval.models.prefix import ROOM_FOR_ANSWER, Answer, Options, Question
from mipha_eval.models.stop import Stop
from mipha_eval.models.tree import Tree

if TYPE_CHECKING:
    from transformers import PreTrainedConfig

#: gives the arguments of a forward pass over prefixes first to last - 1, their tokens one after the other
PrefixInputs = Callable[[int, int], ForwardInputs]

#: how many of the first step's best logits an answer keeps, for comparing two ways to compute it
BEST = 5


@dataclass(frozen=True)
class Decoder:
    """A model of transformers that is called with packed tokens and returns logits.

    Attributes:
        model: the whole model, or its decoder with the head.
        config: the decoder's configuration, by which its attention is chosen.
        device: where tokens are handed to it; its layers may lie elsewhere.
        chunk: tokens of one forward pass.
    """

    model: nn.Module
    config: PreTrainedConfig
    device: torch.device
    chunk: int

    @torch.inference_mode()
    def prefill(self, lengths: Sequence[int], room: int, inputs: PrefixInputs) -> State:
        """Reads prefixes of `lengths` tokens, with places for `room` tokens behind each.

        Args:
            inputs: may hold ``position_ids`` [axes, tokens]; else every prefix counts its tokens from 0.
        """
        cache = SharedCache(torch.tensor(lengths, device=self.device), max(lengths) + room)
        following, axes = torch.tensor(lengths), 0
        with packed_attention(self.config):
            for first, last in chunks(lengths, self.chunk):
                counts = lengths[first:last]
                given = dict(inputs(first, last)) if sum(counts) else {}
                positions = tensor_of(given, "position_ids")
                given.pop("position_ids", None)
                if positions is None:
                    positions = torch.cat([torch.arange(length) for length in counts])
                else:
                    axes = len(positions)
                    behind = [
                        int(part.max()) + 1 if part.numel() else 0 for part in torch.split(positions, list(counts), dim=1)
                    ]
                    following[first:last] = torch.tensor(behind)
                if sum(counts):
                    reading = PrefixPass(cache, first, counts, self.config.num_hidden_layers)
                    self._read_prefixes(given, positions, reading)
        return State(cache, following.to(self.device), axes)

    def _read_prefixes(self, given: ForwardInputs, positions: Tensor, reading: PrefixPass) -> None:
        try:
            self._forward(given, positions, reading)
        except PrefixRead:
            return
        raise RuntimeError("the decoder never came to its last layer's attention")

    def _forward(
        self, given: ForwardInputs, positions: Tensor, packed: PrefixPass | QuestionPass, wanted: Sequence[int] = (0,)
    ) -> Tensor:
        """Logits [wanted, vocabulary] of packed tokens; `positions` are [tokens] or [axes, tokens]."""
        output = self.model(
            **given,
            position_ids=positions.to(self.device)[..., None, :],
            use_cache=False,
            logits_to_keep=list(wanted),  # a tensor would be brought to the first layer's device, and is used on the last's
            packed=packed,
        )
        logits: Tensor = output.logits[0]
        return logits

    @torch.inference_mode()
    def decode(self, state: State, questions: Sequence[Question], stop: Stop) -> list[Answer]:
        """Reads each question behind its prefix and decodes all of them together; finished ones leave the batch.

        Args:
            questions: rows in order, those of a row one after the other.
        """
        with packed_attention(self.config):
            live = Live(state, [question.row for question in questions])
            answers: list[Answer] = []
            watched = [question.tracked for question in questions]
            for numbers, logits in self._read(live, questions, watched):
                options = [watched[number] for number in numbers]
                probabilities = [[math.exp(each) for each in sums] for sums in likelihoods(logits, options)]
                answers += begun(logits[question_rows(options)], probabilities)
            for _ in range(stop.limit - 1):
                live.drop({number for number in live.numbers if stop.ended(answers[number].ids)})
                if not live.numbers:
                    break
                tokens = torch.tensor([[answers[number].ids[-1] for number in live.numbers]], device=self.device)
                depths = [len(questions[number].ids) + len(answers[number].ids) - 1 for number in live.numbers]
                positions = live.positions(live.rows, depths)
                reading = live.read(live.rows, live.numbers, live.numbers)
                logits = self._forward({"input_ids": tokens}, positions, reading, range(len(depths)))
                for number, token in zip(live.numbers, logits.argmax(dim=-1).tolist(), strict=True):
                    answers[number].ids.append(token)
        return answers

    @torch.inference_mode()
    def rank(self, state: State, questions: Sequence[Question], options: Sequence[Options]) -> list[list[float]]:
        """Log-probability of each option as the answer to each question.

        A question is read once; its options branch off behind it, without their last tokens, which are only predicted.
        """
        sums: list[list[float]] = []
        with packed_attention(self.config):
            live = Live(state, [question.row for question in questions])
            for numbers, logits in self._read(live, questions, options):
                sums += likelihoods(logits, [options[number] for number in numbers])
        return sums

    def _read(
        self, live: Live, questions: Sequence[Question], options: Sequence[Options]
    ) -> Iterator[tuple[list[int], Tensor]]:
        """Reads questions, perhaps with options behind them, some rows at a time.

        Yields:
            numbers of questions, and logits [wanted, vocabulary]: of a question's last token, then of its options' tokens.
        """
        trees = [Tree.of(question.ids, own) for question, own in zip(questions, options, strict=True)]
        by_row: dict[int, list[int]] = {}
        for number, question in enumerate(questions):
            by_row.setdefault(question.row, []).append(number)
        counts = [sum(len(trees[number].ids) for number in numbers) for numbers in by_row.values()]
        live.reserve(max(counts) + ROOM_FOR_ANSWER * max(map(len, by_row.values())))
        for first, last in chunks(counts, self.chunk):
            numbers = list(chain.from_iterable(list(by_row.values())[first:last]))
            read = [trees[number] for number in numbers]
            parents = [number for number, tree in zip(numbers, read, strict=True) for _ in tree.ids]
            branches = chain.from_iterable(tree.branches for tree in read)
            owners = [number + len(trees) * branch for number, branch in zip(parents, branches, strict=True)]
            rows = [questions[number].row for number in parents]
            positions = live.positions(rows, [depth for tree in read for depth in tree.depths])
            starts = accumulate((len(tree.ids) for tree in read), initial=0)
            wanted = [start + place for start, tree in zip(starts, read, strict=False) for place in tree.wanted]
            ids = torch.tensor([[token for tree in read for token in tree.ids]], device=self.device)
            yield numbers, self._forward({"input_ids": ids}, positions, live.read(rows, owners, parents), wanted)


def question_rows(options: Sequence[Options]) -> list[int]:
    """Where the logits of each question's last token stand, when those of its options' tokens follow them."""
    counts = [1 + sum(len(ids) - 1 for ids in own) for own in options]
    return list(accumulate(counts, initial=0))[:-1]


def likelihoods(logits: Tensor, options: Sequence[Options]) -> list[list[float]]:
    """Log-probabilities of the options of questions, from logits [wanted, vocabulary] in the order of `Tree.wanted`."""
    if not any(options):
        return [[] for _ in options]
    logs = logits.float().log_softmax(dim=-1)
    sums = []
    for start, own in zip(question_rows(options), options, strict=True):
        place, found = start + 1, []
        for ids in own:
            before = [start, *range(place, place + len(ids) - 1)]
            found.append(logs[before, list(ids)].sum())
            place += len(ids) - 1
        sums.append(torch.stack(found).tolist() if found else [])
    return sums


def begun(logits: Tensor, probabilities: Sequence[Sequence[float]]) -> list[Answer]:
    """Answers after their first token, from logits [questions, vocabulary]; `probabilities` as in `Answer`."""
    best = logits.float().topk(min(BEST, logits.shape[-1]), dim=-1)
    pairs = [tuple(zip(*row, strict=True)) for row in zip(best.indices.tolist(), best.values.tolist(), strict=True)]
    # not the first of `best`: equal logits, frequent in half precision, come in any order there
    first = logits.argmax(dim=-1).tolist()
    return [Answer([token], found, tuple(own)) for token, found, own in zip(first, pairs, probabilities, strict=True)]


def compile_layers(network: nn.Module) -> None:
    """Compiles the feed-forward parts of all layers; attention calls back into Python and would break the graph anyway."""
    for module in network.modules():
        if type(module).__name__.endswith("MLP"):
            module.compile(dynamic=True)


def chunks(counts: Sequence[int], most: int) -> Iterator[tuple[int, int]]:
    """Cuts a list into (first, last + 1) ranges of about `most` in sum; one that is larger stands alone."""
    first, total = 0, 0
    for place, count in enumerate(counts):
        if place > first and total + count > most:
            yield first, place
            first, total = place, 0
        total += count
    if counts:
        yield first, len(counts)
