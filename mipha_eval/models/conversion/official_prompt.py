"""How the prompts of a LLaVA of transformers are asked by LLaVA's own code."""

from __future__ import annotations

import logging

from mipha_eval.models.conversion.comparison import other_prompt
from mipha_eval.models.conversion.llava_source import LlavaSource
from mipha_eval.models.conversion.native_source import NativeSource
from mipha_eval.models.llava_style.prompt import IMAGE_MARK
from mipha_eval.models.llava_style.templates import TEMPLATES

logger = logging.getLogger(__name__)


def named_template(source: NativeSource, usual: str) -> str:
    """The conversation template that a chat template is, the usual one where it is several; "" where it is none."""
    prompt = source.chat.render("?", 1)
    alike = [name for name, each in TEMPLATES.items() if f"{each.opening}{IMAGE_MARK}\n?{each.closing}" == prompt]
    return usual if usual in alike else next(iter(alike), "")


def note_prompt(source: NativeSource, made: LlavaSource) -> None:
    """Says where prompts are others than those of the chat template, or have other tokens.

    Args:
        made: what was written, with the template that the chat template is.
    """
    usual = made.parts.kind.template
    marked = made.parts.description.start_end
    name = usual if marked else named_template(source, usual)
    if not name:
        logger.warning(
            "the chat template is none of LLaVA's: the model llava asks with %s here, and answers will differ", usual
        )
        return
    if name != usual:
        logger.warning("the chat template is %s; the model llava takes it with -a template=%s, else %s", name, name, usual)
    other = other_prompt(source.chat, made, source.config.image_token_index)
    if other:
        logger.warning(
            "LLaVA's code tokenizes pieces of a prompt alone, and makes other tokens of %s; answers may differ", other
        )
