"""What all models that run on transformers have in common, whatever their network and prompts."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import torch
from torch import nn

from mipha_eval.core.adapter import Cost
from mipha_eval.core.asking import ASKING
from mipha_eval.core.errors import RequestError, UserError
from mipha_eval.core.json_value import JsonObject
from mipha_eval.core.types import Decoding, Request, Response
from mipha_eval.models import reference
from mipha_eval.models.answer_tokens import answer_tokens
from mipha_eval.models.checkpoint_folder import check_exists, locate_checkpoint
from mipha_eval.models.device import choose_device, choose_dtype, device_name, memory_guard
from mipha_eval.models.fingerprint import Stamp, check_unchanged, fingerprint, stamps
from mipha_eval.models.forward_inputs import ForwardInputs, InputsOf, left_padding, tensor_of
from mipha_eval.models.generation import Generation, Manner
from mipha_eval.models.generator import generator_of
from mipha_eval.models.limits import Limits
from mipha_eval.models.live import State
from mipha_eval.models.loaded import Loaded
from mipha_eval.models.packed import NotShareableError
from mipha_eval.models.prefix import Answer, Options, Pixels, Prefix, PrefixAdapter, Question, alone, ranked, respond_shared
from mipha_eval.models.prefix_decoder import Decoder, compile_layers
from mipha_eval.models.settings import check_settings
from mipha_eval.models.template import ANY_QUESTION
from mipha_eval.models.token_budget import batch_tokens, cache_bytes, chunk_tokens
from mipha_eval.models.transformers_messages import keep_off_terminal
from mipha_eval.models.weights import note_adapter

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from mipha_eval.models.generating_model import GeneratingModel


@dataclass(frozen=True, kw_only=True)
class TransformersAdapter(PrefixAdapter[Pixels, State]):
    """A checkpoint on a device.

    Options: `path` is a checkpoint folder or a hub id, `revision` a commit or tag there; `share` false answers every prompt
    by itself with transformers' own generation, as ``--no-share`` does; `compile` true compiles the layers first;
    `allow_bin` true reads weights in torch's own format where there are no safetensors, as ``--allow-bin`` does.
    """

    heeds: ClassVar[frozenset[str]] = ASKING

    path: str
    revision: str | None = None
    device: str = "auto"
    dtype: str = "auto"
    share: bool = True
    compile: bool = False
    allow_bin: bool = False

    @property
    @abstractmethod
    def loaded(self) -> Loaded:
        """The model with what decides its answers; read at first use, before anything is generated."""

    @abstractmethod
    def prefix_inputs(self, prefixes: Sequence[Prefix[Pixels]]) -> ForwardInputs:
        """Arguments of the network's forward for prefixes, their tokens one after the other."""

    @abstractmethod
    def whole_inputs(self, batch: Sequence[Request]) -> ForwardInputs:
        """Arguments of the network's forward for complete prompts, padded on the left, a row each. Raises RequestError."""

    @property
    def model(self) -> GeneratingModel:
        return self.loaded.model

    @property
    def tokenizer(self) -> PreTrainedTokenizerBase:
        return self.loaded.tokenizer

    @property
    def ends(self) -> frozenset[int]:
        return self.loaded.ends

    @property
    def generation(self) -> Generation:
        return self.loaded.generation

    @cached_property
    def folder(self) -> Path:
        keep_off_terminal()
        found = locate_checkpoint(self.path, self.revision, pickled=self.allow_bin)
        check_settings(found)
        return found

    def check_there(self) -> None:
        check_exists(self.path, self.revision)

    @abstractmethod
    def read_files(self) -> list[Path]:
        """The files of the checkpoint that are there now and read. Raises UserError where one is missing."""

    @cached_property
    def place(self) -> tuple[torch.device, torch.dtype]:
        """Where the weights lie, and in which precision."""
        device = choose_device(self.device)
        return device, choose_dtype(self.dtype, device)

    @property
    @abstractmethod
    def network(self) -> nn.Module:
        """All of the model, vision tower included; read at first use."""

    @cached_property
    def decoder(self) -> Decoder:
        device, _ = self.place
        if self.compile:
            compile_layers(self.network)
        config = self.model.config.get_text_config(decoder=True)
        return Decoder(generator_of(self.model), config, device, chunk_tokens(device))

    @cached_property
    def limits(self) -> Limits:
        """What the network can be asked."""
        return Limits.of(self.model)

    def stands_alone(self, prompt: Prefix[Pixels], answer: int) -> bool:
        return self.limits.switches(self.prefix_length(prompt) + answer)

    def refuse_unaskable(self, template: Request) -> None:
        """Raises UserError if not even the shortest prompt can be read, by an adapter that makes prompts without pixels."""
        try:
            self.prompt(template, None)
        except RequestError as error:
            raise UserError(f"{self.folder} cannot be asked anything: {error}") from error

    @cached_property
    def before(self) -> Mapping[Path, Stamp]:
        """The checkpoint's files as they were before any was read."""
        found = stamps(self.read_files())
        note_adapter(self.folder)
        return found

    @cached_property
    def digest(self) -> Future[str]:
        """The checkpoint's fingerprint, computed beside whatever else is loaded."""
        _ = self.before
        return ThreadPoolExecutor(1, "fingerprint").submit(fingerprint, self.folder, list(self.before))

    @cached_property
    def _weights(self) -> str:
        """The fingerprint of what was loaded. Raises UserError if files changed meanwhile."""
        _ = self.network
        digest = self.digest.result()
        check_unchanged(self.read_files(), self.before)
        return digest

    def describe(self) -> JsonObject:
        device, dtype = self.place
        own = {"weights": self._weights, "device": device_name(device), "dtype": str(dtype), "attention": "sdpa"}
        return {**own, **self.limits.describe(), **self.generation.describe()}

    def about(self) -> Mapping[str, str | float]:
        return {"parameters": sum(weight.numel() for weight in self.network.parameters()) / 1e9}

    def budget(self) -> int:
        return batch_tokens(self.place[0], cache_bytes(self.decoder.config, self.place[1]))

    def cost_beside(self, shared: int, request: Request) -> Cost:
        """What a request costs, of which `shared` tokens may be shared with others about its images."""
        own = self.own_cost(request)
        together = self.sharing and not alone(request)
        return Cost(shared, own) if together else Cost(0, (shared + own) * request.decoding.num_beams)

    def own_cost(self, request: Request) -> int:
        """Estimated tokens of a request beside its images."""
        texts = (request.text, *request.options, *request.tracked)
        return 16 + sum(1 + len(text.encode(errors="ignore")) // 4 for text in texts)  # a Chinese character is about one

    @abstractmethod
    def prompt_end(self, question: str) -> str:
        """What the prompt with a question ends with, never empty. Answers are tokenized behind it: what a tokenizer makes
        of a text depends on what is before. Raises RequestError.
        """

    def encode_option(self, option: str, question: str = ANY_QUESTION) -> tuple[int, ...]:
        end = self.tokenizer.eos_token_id
        return (*self.encode_beginning(option, question), end if end in self.ends else min(self.ends))

    def encode_beginning(self, answer: str, question: str = ANY_QUESTION) -> tuple[int, ...]:
        ids = answer_tokens(self.tokenizer, answer, self.prompt_end(question))
        self.limits.check_ids(ids)
        return ids

    def prefill(self, prefixes: Sequence[Prefix[Pixels]]) -> State:
        with memory_guard():
            lengths = [self.prefix_length(prefix) for prefix in prefixes]
            room = max(prefix.room for prefix in prefixes)
            return self.decoder.prefill(lengths, room, lambda first, last: self.prefix_inputs(prefixes[first:last]))

    def resume(self, state: State, questions: Sequence[Question], decoding: Decoding) -> list[Response]:
        with memory_guard():
            answers = self.decoder.decode(state, questions, self.loaded.stop(decoding))
        return [self._response(answer) for answer in answers]

    def rank(self, state: State, questions: Sequence[Question], options: Sequence[Options]) -> list[list[float]]:
        with memory_guard():
            return self.decoder.rank(state, questions, options)

    def _response(self, answer: Answer) -> Response:
        if not all(math.isfinite(logit) for _, logit in answer.best):
            return Response.failure("the model gives logits that are not finite; another dtype may help")
        finish = "stop" if self.loaded.stop(Decoding()).ended(answer.ids) else "length"
        text = self.loaded.text_of(answer.ids)
        return Response(text, len(answer.ids), finish, top=answer.best, probabilities=answer.probabilities)

    @abstractmethod
    def plain_inputs(self, batch: Sequence[Request]) -> ForwardInputs:
        """As `whole_inputs`, but what the vision tower makes of an image may be shared."""

    def plain(self, batch: Sequence[Request]) -> list[Response]:
        return self.generated(batch, self.plain_inputs)

    def reference(self, batch: Sequence[Request]) -> list[Response]:
        return [response for request in batch for response in self.generated([request], self.whole_inputs)]

    def shared_as_whole(self, batch: Sequence[Request]) -> list[Response]:
        """Answers behind shared prefixes, for a proof that they may be shared.

        Raises:
            NotShareableError: a prompt is not what the model's own code makes of it as a whole, or decoding is not greedy.
        """
        if self.generation.obeyed:
            raise NotShareableError(f"only transformers' own generation heeds {', '.join(self.generation.obeyed)}")
        for request in batch:
            prompt = self.prompt(request, self.read_images(request.images))
            whole = tensor_of(self.whole_inputs([request]), "input_ids") if prompt else None
            if prompt and (whole is None or [list(prompt.ids)] != whole.tolist()):
                raise NotShareableError(f"the prompt with {request.text!r} is not what it is as a whole")
        return respond_shared(self, batch, _refuse)

    def generated(self, batch: Sequence[Request], inputs_of: InputsOf, step: int = 0) -> list[Response]:
        """By transformers' own attention, cache and generation, padded together; with the best logits of `step` 0 or -1."""
        responses: dict[int, Response] = {}
        alike: dict[tuple[Decoding, str, int, int], list[int]] = {}
        apart = self.limits.switch is not None  # what is computed for a prompt depends on the longest of its pass
        for place, request in enumerate(batch):
            if request.options:
                responses[place] = self._ranked_plainly(request, inputs_of)
            else:
                same = request.decoding, request.template, len(request.images), place if apart else 0
                alike.setdefault(same, []).append(place)
        for places in alike.values():
            responses |= zip(places, self._generated([batch[place] for place in places], inputs_of, step), strict=True)
        return [responses[place] for place in range(len(batch))]

    def _generated(self, batch: Sequence[Request], inputs_of: InputsOf, step: int) -> list[Response]:
        with memory_guard():
            try:
                tracked = [[self.encode_beginning(answer, request.text) for answer in request.tracked] for request in batch]
                inputs = inputs_of(batch)
                manner = self._manner(batch, inputs)
                self.limits.check_inputs(inputs)
            except RequestError as error:
                if len(batch) == 1:
                    return [Response.failure(str(error))]
                return [response for request in batch for response in self._generated([request], inputs_of, step)]
            probabilities = [
                [math.exp(each) for each in reference.rank(self.model, inputs_of([request]), own)] if own else []
                for request, own in zip(batch, tracked, strict=True)
            ]
            return [self._response(each) for each in reference.generate(self.model, inputs, manner, probabilities, step)]

    def _manner(self, batch: Sequence[Request], inputs: ForwardInputs) -> Manner:
        """How requests that have one decoding are decoded; prompts that go in as embeddings are told apart by their ids."""
        prompts = [self.prompt(request, None) for request in batch] if "input_ids" not in inputs else []
        ids = [prompt.ids for prompt in prompts if prompt]
        decoding, padding = batch[0].decoding, () if self.model.config.is_encoder_decoder else left_padding(inputs)
        return self.generation.manner(self.loaded.stop(decoding), ids if prompts else None, decoding.settings, padding)

    def _ranked_plainly(self, request: Request, inputs_of: InputsOf) -> Response:
        with memory_guard():
            try:
                options = [self.encode_option(option, request.text) for option in request.options]
                inputs = inputs_of([request])
                self.limits.check_inputs(inputs)
            except RequestError as error:
                return Response.failure(str(error))
            return ranked(request, reference.rank(self.model, inputs, options), options)


def _refuse(batch: Sequence[Request]) -> list[Response]:
    raise NotShareableError(f"of the prompt with {batch[0].text!r}, ids and images do not say everything")
