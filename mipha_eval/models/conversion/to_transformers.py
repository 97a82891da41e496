"""A checkpoint of LLaVA's kind, written as transformers' ``LlavaForConditionalGeneration``."""

from __future__ import annotations

from pathlib import Path

from mipha_eval.core.atomic import write_json
from mipha_eval.models.conversion.beside_weights import beside_weights
from mipha_eval.models.conversion.llava_source import LlavaSource
from mipha_eval.models.conversion.native_config import generation_config, native_config, refuse_unheld
from mipha_eval.models.conversion.native_processor import check_processor, write_processor
from mipha_eval.models.conversion.native_prompt import with_image_token, write_prompt
from mipha_eval.models.conversion.native_weights import planned_weights
from mipha_eval.models.conversion.new_folder import check_room, copy_files, new_folder
from mipha_eval.models.conversion.planned_weight import PlannedWeight
from mipha_eval.models.conversion.weight_writer import write_weights
from mipha_eval.models.llava_style.files import Places
from mipha_eval.models.llava_style.network import EMBEDDING
from mipha_eval.models.llava_style.prompt import IMAGE_MARK

#: files of the official layout that say what is said in another way here
REPLACED = frozenset(
    {"config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"}
    | {"added_tokens.json", "preprocessor_config.json", "processor_config.json", "chat_template.jinja", "chat_template.json"}
    | {"adapter_config.json"}
)


def to_transformers(places: Places, target: Path, template: str = "") -> list[PlannedWeight]:
    """Writes the folder, and gives the weights that were written.

    A LoRA adapter is merged, a tower or base model from another folder is put in.

    Raises:
        UserError: it is no such checkpoint, or transformers cannot hold it; there is nothing at `target` then.
    """
    source = LlavaSource.of(places, template)
    refuse_unheld(source)
    tokenizer = with_image_token(source)
    image_token = tokenizer.get_vocab()[IMAGE_MARK]
    rows = max(_rows(source), image_token + 1)
    config = native_config(source, rows, image_token)
    weights = planned_weights(source, config)
    with new_folder(target) as made:
        check_room(target, sum(weight.bytes for weight in weights))
        folder = source.files.tokenizer_folder
        copy_files({file for file in beside_weights(folder) if file.name not in REPLACED}, folder, made)
        write_json(made / "config.json", config)
        write_json(made / "generation_config.json", generation_config(source))
        write_processor(source, made)
        write_prompt(source, tokenizer, made)
        check_processor(source, made, image_token)
        write_weights(made, weights)
    return weights


def _rows(source: LlavaSource) -> int:
    """Rows of the embedding."""
    return next(stored.shape[0] for key, stored in source.files.stored.items() if EMBEDDING in source.parts.pieces(key))
