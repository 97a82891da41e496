"""Our models as models of lmms-eval: ``lmms_eval --model mipha --model_args pretrained=PATH``."""

from __future__ import annotations

import dataclasses
import os
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from lmms_eval.api.instance import GenerationResult
from lmms_eval.api.model import lmms

from mipha_eval.core.options import as_texts, option_fields
from mipha_eval.core.plugins.model import Model
from mipha_eval.core.plugins.registry import Registry
from mipha_eval.core.plugins.selection import build_model
from mipha_eval.core.types import Decoding, Request, Response
from mipha_eval.engine.backend import InProcess
from mipha_eval.suites.lmms.asked import Asked, Documents, chat_request, ranked_request, simple_request
from mipha_eval.suites.lmms.generation import ended

#: what of its arguments other models call otherwise
PATH = "pretrained"


class FailedError(RuntimeError):
    """Requests without an answer: what failed is never handed over as a text."""


class MiphaEval(lmms):  # type: ignore[misc]  # lmms-eval has no types
    """Any adapter of mipha-eval, by its name; it is handed all questions of a call at once, and shares what they share."""

    is_simple = True
    reads: Callable[[Sequence[Any], Documents], Asked] = staticmethod(simple_request)

    def __init__(
        self,
        adapter: str = "mipha",
        batch_size: int | str | None = None,
        max_batch_size: int | None = None,
        device: str | None = None,
        **options: object,
    ) -> None:
        """Reads the weights.

        Args:
            batch_size: requests a batch where it is more than 1, which is what lmms-eval says where nobody says anything;
                else the adapter's token budget.
            device: of an adapter that has one; each of several processes has its own GPU otherwise.
            options: the adapter's own, and ``pretrained`` for its ``path``.

        Raises:
            UserError: there is no such adapter or option, or the weights cannot be read.
        """
        super().__init__()
        self._rank, self._world_size = (
            int(os.environ.get(name, usual)) for name, usual in (("RANK", "0"), ("WORLD_SIZE", "1"))
        )
        if self._world_size > 1 and device in (None, "cuda"):
            device = f"cuda:{os.environ.get('LOCAL_RANK', '0')}"
        self.device = device or "cpu"
        most = int(str(batch_size)) if str(batch_size or "").isdecimal() else 1
        self._backend = InProcess(_model(adapter, device, options).adapter, most if most > 1 else None)
        self._backend.load()

    def generate_until(self, requests: Sequence[Any]) -> list[str]:
        """Answers in the same order. Raises FailedError if one failed."""
        documents = Documents(self.task_dict)
        asked = [self.reads(each.args, documents) for each in requests]
        responses = self._answers([each.request for each in asked])
        return [ended(response.text, each.stops) for response, each in zip(responses, asked, strict=True)]

    def loglikelihood(self, requests: Sequence[Any]) -> list[Any]:
        """The loss of each continuation, a mean over its tokens as lmms-eval's own models give it, and whether it is what
        the model would write, as a pair in a `GenerationResult`: of a plain pair lmms-eval 0.7.3 makes a text, and fails.

        Raises:
            FailedError: one failed.
        """
        documents = Documents(self.task_dict)
        asked = [ranked_request(each.args, documents) for each in requests]
        options: dict[Request, dict[str, int]] = {}
        for request, text in asked:
            found = options.setdefault(request, {})
            found.setdefault(text, len(found))
        ranked = [dataclasses.replace(request, options=tuple(texts)) for request, texts in options.items()]
        likely = dict(zip(options, self._answers(ranked), strict=True))
        lengths = {request: max(response.option_tokens) for request, response in likely.items()}
        greedy = [dataclasses.replace(each, decoding=Decoding(max_new_tokens=most)) for each, most in lengths.items()]
        written = dict(zip(options, self._answers(greedy), strict=True))
        results = []
        for request, text in asked:
            response, place = likely[request], options[request][text]
            loss = -response.likelihoods[place] / max(response.option_tokens[place], 1)
            is_greedy = written[request].finish == "stop" and written[request].text.strip() == text
            results.append(GenerationResult((loss, is_greedy)))
        return results

    def generate_until_multi_round(self, requests: Sequence[Any]) -> list[str]:
        raise NotImplementedError("mipha-eval answers single questions, and this task asks in several turns")

    def clean(self) -> None:
        """Gives back what a model took; called when everything is answered."""
        self._backend.close()
        super().clean()

    def _answers(self, requests: Sequence[Request]) -> list[Response]:
        found: dict[int, Response] = {}
        for answered in self._backend.run(requests):
            found.update(answered)
        failures = Counter(response.error for response in found.values() if response.error)
        if failures:
            (reason, _), *_ = failures.most_common(1)
            raise FailedError(f"{failures.total()} of {len(requests)} requests have no answer, most of them: {reason}")
        return [found[place] for place in range(len(requests))]


class MiphaEvalChat(MiphaEval):
    """The same, asked by lmms-eval's messages."""

    is_simple = False
    reads = staticmethod(chat_request)


class Mipha(MiphaEval):
    """The Mipha family."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"adapter": "mipha", **options})


class MiphaChat(MiphaEvalChat):
    """The Mipha family, asked by lmms-eval's messages."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"adapter": "mipha", **options})


def _model(adapter: str, device: str | None, options: dict[str, object]) -> Model:
    registry = Registry()
    given = {"path" if key == PATH else key: value for key, value in options.items()}
    texts = as_texts({key: str(value).lower() if isinstance(value, bool) else value for key, value in given.items()})
    if device and "device" in option_fields(registry.load("model_adapters", adapter)[0]):
        texts.setdefault("device", device)
    return build_model(adapter, texts, registry)
