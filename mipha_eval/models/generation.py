"""A checkpoint's generation settings: which of them are in force, which are left out, and how they are put in force."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor
from transformers import LogitsProcessor, RepetitionPenaltyLogitsProcessor
from transformers.generation import logits_process as transformers_own

from mipha_eval.core.errors import UserError
from mipha_eval.core.json_value import JsonObject
from mipha_eval.models.stop import Stop

if TYPE_CHECKING:
    from transformers import GenerationConfig

    from mipha_eval.models.generating_model import GeneratingModel

logger = logging.getLogger(__name__)

#: settings that decide no answer: what is stored and returned, and the length of an answer, which a request gives
HARMLESS = frozenset(
    {"transformers_version", "use_cache", "max_length", "max_new_tokens", "max_cache_len", "return_dict_in_generate"}
    | {"output_attentions", "output_hidden_states", "output_scores", "output_logits", "return_legacy_cache"}
    | {"cache_implementation", "cache_config", "compile_config", "disable_compile", "low_memory"}
)

#: ids that belong to a model's form: what its answers begin with, and what stands where nothing does
FORM = ("bos_token_id", "decoder_start_token_id", "pad_token_id")

#: ids that a model's answers are made to begin or to end with
FORCED = ("forced_bos_token_id", "forced_eos_token_id")


@dataclass(frozen=True)
class Manner:
    """How answers are decoded: greedily, and beside that by the `settings` of transformers' GenerationConfig.

    Attributes:
        steering: changes logits before a token is chosen, as settings do; for prompts whose ids `generate` does not see.
    """

    stop: Stop
    settings: JsonObject = field(default_factory=dict)
    steering: Sequence[LogitsProcessor] = ()


@dataclass(frozen=True)
class Generation:
    """What becomes of a checkpoint's generation settings, by their names in transformers.

    Attributes:
        form: ids that say how an answer begins, which are handed on.
        obeyed: settings that change what plain greedy decoding would answer; only transformers' own generation heeds them.
        left_out: all others that could change an answer; they are named to the user.
        seen: ids that what is obeyed sees in place of a prompt's; None where it sees the prompt.
    """

    form: JsonObject = field(default_factory=dict)
    obeyed: JsonObject = field(default_factory=dict)
    left_out: JsonObject = field(default_factory=dict)
    seen: tuple[int, ...] | None = None

    def manner(
        self,
        stop: Stop,
        prompts: Sequence[Sequence[int]] | None = None,
        asked: Mapping[str, int | float] = MappingProxyType({}),
        padding: Sequence[int] = (),
    ) -> Manner:
        """How transformers' generation decodes prompts.

        Args:
            prompts: their ids where it sees embeddings alone.
            asked: settings that requests have of their own, which win over the checkpoint's.
            padding: how many of the ids that it sees before each prompt are padding; empty for none.
        """
        steered = {name: value for name, value in asked.items() if name in STEERED}
        beams = {name: value for name, value in asked.items() if name not in STEERED}
        if prompts is None:
            penalty = steered.pop("repetition_penalty", None) if any(padding) else None
            steering = [] if penalty is None else [UnpaddedPenalty(float(penalty), padding, int(beams.get("num_beams", 1)))]
            return Manner(stop, {**self.form, **self.obeyed, **steered, **beams}, steering)
        seen, obeyed = prompts if self.seen is None else [self.seen] * len(prompts), {**self.obeyed, **steered}
        rows = [each for each in seen for _ in range(int(beams.get("num_beams", 1)))]
        return Manner(stop, {**self.form, **beams}, [BehindPrompts(rows, obeyed, stop)] if obeyed else [])

    def describe(self) -> JsonObject:
        """For the manifest; empty parts are not named."""
        parts = {"generation": self.obeyed, "left_out": self.left_out}
        return {name: dict(part) for name, part in parts.items() if part}

    def report(self, folder: Path) -> None:
        """Tells the user, a line each, what is in force and what is left out."""
        for part, what in ((self.obeyed, "in force"), (self.left_out, "left out, answers are decoded greedily")):
            if part:
                named = ", ".join(f"{name} {value}" for name, value in part.items())
                logger.info("%s: generation settings %s: %s", folder, what, named)


def plain_greedy(model: GeneratingModel) -> Generation:
    """Of a model of transformers: its form is kept, and all that is no plain greedy decoding is left out."""
    return greedy(model.generation_config)


def greedy(settings: GenerationConfig) -> Generation:
    """What becomes of settings where answers are decoded greedily, as `plain_greedy` says."""
    given = settings.to_diff_dict()
    kept = {name: given[name] for name in FORM if given.get(name) is not None}
    forced = {name: given[name] for name in FORCED if given.get(name) is not None}
    known = {*FORM, *FORCED, *HARMLESS, "eos_token_id"}
    others = {name: value for name, value in given.items() if name not in known and not name.startswith("_")}
    return Generation(kept, forced, others)


#: settings that become a class of transformers which changes logits, in the order in which transformers applies them
STEERED = (
    "repetition_penalty",
    *("no_repeat_ngram_size", "encoder_no_repeat_ngram_size", "bad_words_ids", "min_length", "min_new_tokens"),
    *("forced_eos_token_id", "remove_invalid_values", "exponential_decay_length_penalty"),
    *("suppress_tokens", "begin_suppress_tokens"),
)


def steering(name: str, value: Any, prompt: Tensor, stop: Stop) -> LogitsProcessor:
    """What transformers makes of one of `STEERED` for a prompt [1, tokens] whose answer ends as `stop` says."""
    own: Any = transformers_own
    length, ends, place = prompt.shape[1], sorted(stop.ends), {"device": prompt.device}
    made: Mapping[str, Callable[[], LogitsProcessor]] = {
        "repetition_penalty": lambda: own.RepetitionPenaltyLogitsProcessor(value),
        "no_repeat_ngram_size": lambda: own.NoRepeatNGramLogitsProcessor(value),
        "encoder_no_repeat_ngram_size": lambda: own.EncoderNoRepeatNGramLogitsProcessor(value, prompt),
        "bad_words_ids": lambda: own.NoBadWordsLogitsProcessor(value, ends),
        "min_length": lambda: own.MinLengthLogitsProcessor(value, ends, **place),
        "min_new_tokens": lambda: own.MinNewTokensLengthLogitsProcessor(length, value, ends, **place),
        "forced_eos_token_id": lambda: own.ForcedEOSTokenLogitsProcessor(length + stop.limit, value, **place),
        "remove_invalid_values": own.InfNanRemoveLogitsProcessor,
        "exponential_decay_length_penalty": lambda: own.ExponentialDecayLengthPenalty(value, ends, length),
        "suppress_tokens": lambda: own.SuppressTokensLogitsProcessor(value, **place),
        "begin_suppress_tokens": lambda: own.SuppressTokensAtBeginLogitsProcessor(value, length, **place),
    }
    return made[name]()


class BehindPrompts(LogitsProcessor):
    """Puts settings in force for prompts that the model is given as embeddings, each row as if it were asked alone.

    Args:
        prompts: ids of each row, without padding, as the settings are to see them.
        settings: some of `STEERED`.
    """

    def __init__(self, prompts: Sequence[Sequence[int]], settings: JsonObject, stop: Stop) -> None:
        self._prompts = prompts
        self._settings, self._stop = {name: settings[name] for name in STEERED if name in settings}, stop
        self._rows: list[list[LogitsProcessor]] = []

    def __call__(self, input_ids: torch.LongTensor, scores: torch.FloatTensor) -> torch.FloatTensor:
        """`input_ids` [rows, tokens] were generated so far; `scores` [rows, vocabulary]."""
        changed = []
        prompts = [torch.tensor([prompt], dtype=torch.long, device=scores.device) for prompt in self._prompts]
        if not self._rows:
            self._rows = [[steering(*each, prompt, self._stop) for each in self._settings.items()] for prompt in prompts]
        for number, (prompt, processors) in enumerate(zip(prompts, self._rows, strict=True)):
            ids = cast(torch.LongTensor, torch.cat([prompt, input_ids[number : number + 1]], dim=1))
            row = cast(torch.FloatTensor, scores[number : number + 1])
            for processor in processors:
                row = processor(_real(ids) if isinstance(processor, RepetitionPenaltyLogitsProcessor) else ids, row)
            changed.append(row)
        return cast(torch.FloatTensor, torch.cat(list[Tensor](changed)))


def _real(ids: torch.LongTensor) -> torch.LongTensor:
    """Ids of one row [1, tokens] without those that stand for images, which are no tokens of the vocabulary."""
    return cast(torch.LongTensor, ids[:, ids[0] >= 0])


class UnpaddedPenalty(LogitsProcessor):
    """A repetition penalty for prompts padded on the left, each as if it were asked alone: padding was never said.

    Args:
        padding: tokens of padding before each prompt.
        beams: rows of each prompt.
    """

    def __init__(self, penalty: float, padding: Sequence[int], beams: int) -> None:
        self._own, self._padding, self._beams = RepetitionPenaltyLogitsProcessor(penalty), padding, beams
        self._sees_prompts: bool | None = None

    def __call__(self, input_ids: torch.LongTensor, scores: torch.FloatTensor) -> torch.FloatTensor:
        """`input_ids` [rows, tokens] are prompts and what was generated behind them; `scores` [rows, vocabulary]."""
        changed = []
        if self._sees_prompts is None:  # a language model that is handed embeddings alone sees answers alone
            self._sees_prompts = input_ids.shape[1] > max(self._padding)
        for row in range(len(input_ids)):
            padding = self._padding[row // self._beams] if self._sees_prompts else 0
            own = input_ids[row : row + 1, padding:]
            changed.append(self._own(cast(torch.LongTensor, own), cast(torch.FloatTensor, scores[row : row + 1])))
        return cast(torch.FloatTensor, torch.cat(list[Tensor](changed)))


def check_values(folder: Path, settings: JsonObject, ends: Collection[int]) -> None:
    """Raises UserError for a value that transformers does not take."""
    for name, value in settings.items():
        try:
            steering(name, value, torch.tensor([[0, 1]]), Stop(frozenset(ends), 8))
        except (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError) as error:
            reason = str(error).strip().partition("\n")[0]
            raise UserError(f"{folder}: generation setting {name} cannot be {value!r}: {reason}") from error
