"""A checkpoint of LLaVA's kind in its authors' layout, as far as it has to be known to be written in another one."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from mipha_eval.core.errors import UserError
from mipha_eval.core.json_value import JsonObject
from mipha_eval.models.llava_style.checkpoint import check_weights
from mipha_eval.models.llava_style.files import CheckpointFiles, Places
from mipha_eval.models.llava_style.layouts import LAYOUTS, layout_of
from mipha_eval.models.llava_style.official_generation import official_ends
from mipha_eval.models.llava_style.parts import Parts
from mipha_eval.models.llava_style.pixels import Preprocessor
from mipha_eval.models.llava_style.prompt import prompt_pieces, tokenize_prompt
from mipha_eval.models.llava_style.templates import Template, template_named
from mipha_eval.models.llava_style.tokenizer import official_tokenizer, stopping
from mipha_eval.models.settings import check_settings, read_settings

if TYPE_CHECKING:
    from transformers import PreTrainedConfig, PreTrainedTokenizerBase


@dataclass(frozen=True)
class LlavaSource:
    """A checkpoint that one of the adapters runs.

    Attributes:
        template: what stands around a question.
    """

    files: CheckpointFiles
    parts: Parts
    preprocessor: Preprocessor
    template: Template

    @classmethod
    def of(cls, places: Places, template: str = "") -> LlavaSource:
        """Looks at it without reading its weights.

        Args:
            template: a template's name, where it is not the one of the checkpoint's kind.

        Raises:
            UserError: no adapter runs it.
        """
        check_settings(places.folder)
        files = CheckpointFiles.of(places, _model(places))
        pixels = files.preprocessor(files.parts())
        parts = dataclasses.replace(files.parts(), pixels=(pixels.height, pixels.width))
        check_weights(files, parts)
        return cls(files, parts, pixels, template_named(template or parts.kind.template))

    @property
    def described(self) -> JsonObject:
        """The checkpoint's ``config.json``."""
        return self.files.config

    @cached_property
    def decoder(self) -> PreTrainedConfig:
        """The decoder's configuration."""
        return self.parts.language_model.configure(self.parts.description.decoder)

    @cached_property
    def tokenizer(self) -> PreTrainedTokenizerBase:
        """The tokenizer as the official code has it."""
        return official_tokenizer(self.files.tokenizer_folder, self.parts.description, self.decoder)

    @cached_property
    def ends(self) -> frozenset[int]:
        """The token ids that end an answer, a stopping word's among them."""
        stops, _ = stopping(self.tokenizer, self.template.stop, self.files.layout.stop_words)
        return official_ends(self.files, self.tokenizer, self.decoder) | stops

    def pieces(self, question: str, images: int) -> list[str]:
        """The official prompt, cut where the images stand."""
        return prompt_pieces(question, images, self.template, marks=self.parts.description.start_end)

    def ids(self, question: str, images: int) -> list[int]:
        """Its token ids, `IMAGE_TOKEN` for an image."""
        tokenizer = self.tokenizer
        pieces = self.pieces(question, images)
        return tokenize_prompt(pieces, lambda text: list(tokenizer(text).input_ids), tokenizer.bos_token_id)


def _model(places: Places) -> str:
    """The name of the adapter that runs a checkpoint. Raises UserError if none does."""
    if places.base is None and not places.settings.is_file():
        raise UserError(f"{places.folder} has no config.json; is it a checkpoint folder?")
    config = read_settings(places.settings)
    kind = config.get("model_type")
    named = next((each.model for each in LAYOUTS if kind in each.model_types and each.fits(config)), "llava")
    return layout_of(places.folder, config, named).model
