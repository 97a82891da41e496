"""Which generation settings of a checkpoint are in force: those that are when the official code generates.

Source: zhuyiche/llava-phi at 21dafbf, ``mipha/eval/model_vqa_loader.py``, run with transformers 4.38.2. It hands the
prompt's ids to ``generate``, the image being -200, and says itself what the end token, the length, sampling and beams are.
haotian-liu/LLaVA at c121f04, ``llava/eval/model_vqa_loader.py``, run with transformers 4.37.2, hands over embeddings,
so that settings see a BOS and an answer's ids alone, and leaves the end token to the settings; from transformers 4.38 on
there is no BOS either.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from mipha_eval.core.errors import UserError
from mipha_eval.core.json_value import Json, JsonObject
from mipha_eval.models.end_tokens import end_ids
from mipha_eval.models.generation import HARMLESS, STEERED, Generation, check_values
from mipha_eval.models.llava_style.files import CheckpointFiles
from mipha_eval.models.settings import read_settings

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

#: what a setting is where nobody sets it, in that version of transformers; all others are None there
DEFAULTS = {
    "do_sample": False,
    "early_stopping": False,
    "num_beams": 1,
    "num_beam_groups": 1,
    "num_return_sequences": 1,
    "temperature": 1.0,
    "top_k": 50,
    "top_p": 1.0,
    "typical_p": 1.0,
    "epsilon_cutoff": 0.0,
    "eta_cutoff": 0.0,
    "diversity_penalty": 0.0,
    "repetition_penalty": 1.0,
    "encoder_repetition_penalty": 1.0,
    "length_penalty": 1.0,
    "no_repeat_ngram_size": 0,
    "encoder_no_repeat_ngram_size": 0,
    "min_length": 0,
    "guidance_scale": 1,
    "renormalize_logits": False,
    "remove_invalid_values": False,
}

#: settings with which the official code comes to an error, or to what is neither greedy nor always the same
REFUSED = (
    *("encoder_repetition_penalty", "sequence_bias", "guidance_scale", "num_return_sequences"),
    *("num_beam_groups", "diversity_penalty", "penalty_alpha", "constraints", "force_words_ids", "forced_decoder_ids"),
    *("max_time", "prompt_lookup_num_tokens", "token_healing"),
)

#: and those that fail on the image's -200 among a prompt's ids, or have no prompt to look at
REFUSED_WITH_PROMPT, REFUSED_WITHOUT = ("repetition_penalty",), ("encoder_no_repeat_ngram_size",)

#: ids that the official call says itself, or that only matter where nothing is asked
REPLACED = frozenset({"eos_token_id", "pad_token_id", "bos_token_id", "decoder_start_token_id", "forced_bos_token_id"})


def official_generation(files: CheckpointFiles, ends: Collection[int]) -> Generation:
    """The settings of a checkpoint's files as the official code heeds them.

    Raises:
        UserError: the official code cannot be followed with one of them, or a value is none.
    """
    folder, sees_prompt = files.tokenizer_folder, files.layout.seen == "prompt"
    settings = {name: value for name, value in _settings(files).items() if value not in (None, DEFAULTS.get(name))}
    for name in (*REFUSED, *(REFUSED_WITH_PROMPT if sees_prompt else REFUSED_WITHOUT)):
        if name in settings and name not in files.layout.says:
            raise UserError(
                f"{folder}: the official code cannot decode greedily with the generation setting {name} {settings[name]!r}; "
                "take it out of generation_config.json or config.json"
            )
    obeyed = {name: value for name, value in settings.items() if name in STEERED and name not in files.layout.says}
    check_values(folder, obeyed, ends)
    others = {name: value for name, value in settings.items() if name not in {*obeyed, *HARMLESS} and name[0] != "_"}
    left_out = {name: value for name, value in others.items() if _is_lost(name, value, ends)}
    begin = settings.get("bos_token_id", files.config.get("bos_token_id"))
    own = (begin,) if files.layout.seen == "bos" and isinstance(begin, int) else ()
    return Generation({}, obeyed, left_out, None if sees_prompt else own)


def official_ends(files: CheckpointFiles, tokenizer: PreTrainedTokenizerBase) -> frozenset[int]:
    """The token ids that end an answer in the official code, without stopping words. Raises UserError if there are none."""
    if files.layout.ends == "tokenizer":
        return end_ids(None, tokenizer)
    path = files.tokenizer_folder / "generation_config.json"
    said = files.layout.ends == "generation" and path.is_file()
    settings = read_settings(path) if said else files.described.decoder
    return end_ids(settings.get("eos_token_id"), tokenizer)


def _settings(files: CheckpointFiles) -> JsonObject:
    """Those of ``generation_config.json``; of ``config.json`` if there is none, or if it was only made from that."""
    known = {*STEERED, *DEFAULTS, *REFUSED}
    said = {name: value for name, value in files.described.decoder.items() if name in known}
    own = {name: value for name, value in said.items() if value not in (None, DEFAULTS.get(name))}
    path = files.tokenizer_folder / "generation_config.json"
    if not path.is_file() or files.layout.ends == "decoder":
        return own
    settings = read_settings(path)
    return own if own and settings.get("_from_model_config") else settings


def _is_lost(name: str, value: Json, ends: Collection[int]) -> bool:
    """Whether leaving a setting out is worth a word: ids that only repeat what holds anyway are not."""
    if name == "eos_token_id":
        return set(value if isinstance(value, list) else [value]) != set(ends)
    return name not in REPLACED
