"""How a model of transformers is asked, from its folder."""

from __future__ import annotations

from mipha_eval.models.chat import Chat
from mipha_eval.models.end_tokens import end_ids
from mipha_eval.models.generator import is_encoded
from mipha_eval.models.generic_model import GenericModel
from mipha_eval.models.image_text import load_processor
from mipha_eval.models.wording import AS_THE_CHECKPOINT, Wording


def load_chat(known: GenericModel, wording: Wording = AS_THE_CHECKPOINT) -> Chat:
    """A checkpoint's processor with its template. Raises UserError if it has no usable one, or no end token."""
    encoded = is_encoded(known.config)
    image_token = getattr(known.config, "image_token_id", None)
    goes_on = known.generates_itself and not encoded
    chat = Chat(load_processor(known.folder), image_token, wording, encoded=encoded, goes_on=goes_on)
    end_ids(known.generation.eos_token_id, chat.tokenizer)
    return chat
