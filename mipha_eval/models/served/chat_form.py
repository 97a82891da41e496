"""How a request is put to a server: messages and parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mipha_eval.core.json_value import Json
from mipha_eval.core.types import Request
from mipha_eval.models.served.first_token import ASKED
from mipha_eval.models.served.pictures import SentPicture
from mipha_eval.models.served.spending import estimated_tokens

#: tokens of a picture, for estimates before a server has counted any
IMAGE_TOKENS = 1000


@dataclass(frozen=True)
class ChatForm:
    """What is the same in all requests to a model.

    Attributes:
        system: the system's message; None for none.
        detail: how closely OpenAI's models are to look at pictures; None leaves it out.
        seed: None leaves it out.
    """

    system: str | None = None
    detail: str | None = None
    seed: int | None = None

    def messages(self, request: Request, pictures: Sequence[SentPicture]) -> list[Mapping[str, Json]]:
        """The system's text, if there is one, and a user's message: the pictures, then the question."""
        detail: Mapping[str, Json] = {"detail": self.detail} if self.detail else {}
        shown: list[Json] = [{"type": "image_url", "image_url": {"url": each.url, **detail}} for each in pictures]
        content: Json = [*shown, {"type": "text", "text": request.text}] if shown else request.text
        told: list[Mapping[str, Json]] = [{"role": "system", "content": self.system}] if self.system is not None else []
        return [*told, {"role": "user", "content": content}]

    def parameters(self, request: Request) -> Mapping[str, Json]:
        """Greedy decoding, and the likeliest first tokens where probabilities are wanted."""
        likeliest: Mapping[str, Json] = {"logprobs": True, "top_logprobs": ASKED} if request.tracked else {}
        return {"temperature": 0, **({} if self.seed is None else {"seed": self.seed}), **likeliest}

    def estimate(self, request: Request) -> int:
        """About how many tokens a prompt has."""
        return estimated_tokens((self.system or "") + request.text) + IMAGE_TOKENS * len(request.images)
