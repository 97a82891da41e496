"""A LLaVA of transformers, written in the layout of its authors, the vision tower in a folder beside the weights."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from torch import Tensor

from mipha_eval.core.atomic import write_json
from mipha_eval.core.errors import UserError
from mipha_eval.core.json_value import JsonObject
from mipha_eval.models.conversion.beside_weights import beside_weights
from mipha_eval.models.conversion.comparison import other_pixels
from mipha_eval.models.conversion.flat_config import flat_config, tower_config, tower_processor
from mipha_eval.models.conversion.llava_source import LlavaSource
from mipha_eval.models.conversion.native_source import NativeSource
from mipha_eval.models.conversion.new_folder import check_room, copy_files, new_folder
from mipha_eval.models.conversion.official_prompt import named_template, note_prompt
from mipha_eval.models.conversion.official_words import LISTS, kept_rows, write_words
from mipha_eval.models.conversion.planned_weight import PlannedWeight
from mipha_eval.models.conversion.samples import QUESTIONS
from mipha_eval.models.conversion.weight_writer import write_weights
from mipha_eval.models.llava_style.checkpoint import check_weights
from mipha_eval.models.llava_style.files import CheckpointFiles, Places
from mipha_eval.models.llava_style.layouts import layout_of
from mipha_eval.models.llava_style.layouts.layout import TOWER
from mipha_eval.models.llava_style.layouts.llava import LLAVA
from mipha_eval.models.llava_style.network import EMBEDDING, HEAD_WEIGHT
from mipha_eval.models.llava_style.parts import Parts
from mipha_eval.models.settings import read_settings
from mipha_eval.models.weight_reader import WeightReader
from mipha_eval.models.weights import Stored

#: files of transformers that are said in another way here
REPLACED = frozenset(
    {*LISTS, "config.json", "generation_config.json", "preprocessor_config.json", "processor_config.json"}
    | {"chat_template.jinja", "chat_template.json"}
)


def to_llava(folder: Path, target: Path) -> list[PlannedWeight]:
    """Writes the folder, and gives the weights that were written.

    Raises:
        UserError: it is no LLaVA of transformers, or the layout cannot hold it; there is nothing at `target` then.
    """
    source = NativeSource.of(folder)
    rows, added = kept_rows(source)
    tower = target.expanduser().resolve() / f"{source.tower.word}-vision-tower"
    config = flat_config(source, tower, rows)
    stored = {name: _cut(name, header, rows) for name, header in source.stored.items()}
    _check(source, copy.deepcopy(config), stored)  # transformers writes into what it is given
    reader = WeightReader()
    planned = {name: _planned(source, name, header, reader) for name, header in stored.items()}
    with new_folder(target) as made:
        check_room(target, sum(weight.bytes for weight in planned.values()))
        copy_files({file for file in beside_weights(folder) if file.name not in REPLACED}, folder, made)
        write_json(made / "config.json", config)
        write_json(made / "generation_config.json", _generation(source))
        write_words(source, added, made)
        beside = made / tower.name
        beside.mkdir()
        write_json(beside / "config.json", tower_config(source))
        write_json(beside / "preprocessor_config.json", tower_processor(source))
        write_weights(beside, [weight for name, weight in planned.items() if name.startswith(TOWER)])
        write_weights(made, [weight for name, weight in planned.items() if not name.startswith(TOWER)])
        _look_back(source, Places(made, tower=str(beside)))
    return list(planned.values())


def _cut(name: str, stored: Stored, rows: int) -> Stored:
    """A weight's header, of the embedding and the head without rows that were added."""
    if name not in (EMBEDDING, HEAD_WEIGHT):
        return stored
    return dataclasses.replace(stored, shape=(min(rows, stored.shape[0]), *stored.shape[1:]))


def _planned(source: NativeSource, name: str, stored: Stored, reader: WeightReader) -> PlannedWeight:
    return PlannedWeight(source.official_name(name), stored.shape, stored.dtype, partial(_read, reader, stored))


def _read(reader: WeightReader, stored: Stored) -> Tensor:
    weight = reader.read(stored)
    return weight[: stored.shape[0]] if stored.shape else weight


def _check(source: NativeSource, config: JsonObject, stored: Mapping[str, Stored]) -> None:
    """Raises UserError unless names and shapes are those that the adapter asks for."""
    named = {
        (LLAVA.tower_prefix if name.startswith(TOWER) else "") + source.official_name(name): header
        for name, header in stored.items()
    }
    layout = layout_of(source.folder, config, LLAVA.model)
    files = CheckpointFiles(Places(source.folder), layout, config, named)
    check_weights(files, Parts.of(layout, config, named, tower_config(source)))


def _generation(source: NativeSource) -> JsonObject:
    """Generation settings; where there is no file of them, what the decoder's configuration says."""
    file = source.folder / "generation_config.json"
    if file.is_file():
        return {name: value for name, value in read_settings(file).items() if name[0] != "_"}
    text = source.text.to_dict()
    return {name: text[name] for name in ("bos_token_id", "eos_token_id", "pad_token_id") if text.get(name) is not None}


def _look_back(source: NativeSource, places: Places) -> None:
    """Compares what was written with what it was made of, and says what is other. Raises UserError if it may not be."""
    config = read_settings(places.folder / "config.json")
    usual = layout_of(places.folder, config, LLAVA.model).kind(config, config, ()).template
    made = LlavaSource.of(places, named_template(source, usual))
    _check_words(source, made)
    other = other_pixels(source.chat, made.preprocessor)
    if other:
        raise UserError(
            f"{source.folder} cannot be written in LLaVA's own layout: its processor makes other pixels of {other}"
        )
    note_prompt(source, made)


def _check_words(source: NativeSource, made: LlavaSource) -> None:
    """Raises UserError if the tokenizer that was written makes other tokens of a text."""
    for question in QUESTIONS:
        if made.tokenizer(question).input_ids != source.chat.tokenizer(question).input_ids:
            raise UserError(
                f"{source.folder} cannot be written in LLaVA's own layout: without the image's token its tokenizer makes "
                f"other tokens of {question!r}"
            )
