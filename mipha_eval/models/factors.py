"""What an ablation varies, read from a checkpoint's ``config.json``: names of its parts, and which of them were trained.

Training scripts note different things, and the same key means different things in two of them. Sources: ``train.py`` of
zhuyiche/llava-phi at 21dafbf (packages mipha and llava_phi), haotian-liu/LLaVA at c121f04, BAAI-DCAI/Bunny;
``training_recipe/base.py`` of TinyLLaVA Factory; LLaVA-NeXT for ``mm_tunable_parts``.
"""

from __future__ import annotations

from collections.abc import Mapping

from mipha_eval.core.json_value import Json, JsonObject

TOWER, PROJECTOR, LANGUAGE_MODEL = PARTS = ("tower", "projector", "language model")
FULL, FROZEN, LORA, PARTLY = "full", "frozen", "LoRA", "partly"

#: names in TinyLLaVA's ``tune_type_NAME`` and in ``mm_tunable_parts``
TUNE_TYPES = {TOWER: "tune_type_vision_tower", PROJECTOR: "tune_type_connector", LANGUAGE_MODEL: "tune_type_llm"}
TUNABLE = {TOWER: "mm_vision_tower", PROJECTOR: "mm_mlp_adapter", LANGUAGE_MODEL: "mm_language_model"}
STATES = {"full": FULL, "frozen": FROZEN, "lora": LORA, "qlora": LORA, "partially-tune": PARTLY}
#: keys that say that the tower was trained, and the one that says that it was not
TOWER_TRAINED, TOWER_FROZEN = (
    ("unfreeze_mm_vision_tower", "unfreeze_vision_tower", "tune_vision_tower"),
    "freeze_vision_tower",
)


def checkpoint_factors(config: JsonObject, adapter: JsonObject | None = None) -> dict[str, str]:
    """The factors that a configuration tells of; what it does not tell is not there.

    Args:
        config: ``config.json`` of Mipha, LLaVA or one of their relatives.
        adapter: ``adapter_config.json`` of a LoRA that is put on it; None for none.

    Returns:
        ``tower_name``, ``resolution`` (pixels of a side), ``select_layer``, ``aspect`` (pad, square), ``projector``,
        ``trained``, ``tower_tuning``, ``projector_tuning``, ``language_model_tuning`` (full, partly, LoRA or frozen) and
        ``lora_rank`` (``none`` without LoRA weights). ``trained`` names the parts that are not frozen, with a question mark
        where nothing says whether they are.
    """
    tower, projector = (_nested(config, name) for name in ("vision_tower", "mm_projector"))
    name = _text(tower.get("vision_model_name_or_path"), config.get("mm_vision_tower"), config.get("vision_tower"))
    states = trained_parts(config, adapter)
    told = {
        "tower_name": name.rstrip("/").rpartition("/")[2],
        "resolution": _text(tower.get("image_size")),
        "select_layer": _text(tower.get("mm_vision_select_layer"), config.get("mm_vision_select_layer")),
        "aspect": _text(config.get("image_aspect_ratio")),
        "projector": _text(
            projector.get("mm_projector_type"), config.get("mm_projector_type"), config.get("connector_type")
        ),
        "trained": _trained(states),
        **{f"{part.replace(' ', '_')}_tuning": state for part, state in states.items()},
    }
    found = {key: text for key, text in told.items() if text}
    return {**found, **_rank(config, adapter)} if found else {}


def trained_parts(config: JsonObject, adapter: JsonObject | None = None) -> dict[str, str]:
    """Part -> full, partly, LoRA or frozen, of those of which the configuration says it."""
    found = {part: _state(config, part) for part in PARTS}
    if _lora(config, adapter):
        found[LANGUAGE_MODEL] = LORA
    return {part: state for part, state in found.items() if state}


def _state(config: JsonObject, part: str) -> str:
    """How a part was trained; "" where nothing says it."""
    said = config.get(TUNE_TYPES[part])
    if isinstance(said, str):
        return STATES.get(said.lower(), "")
    tunable = config.get("mm_tunable_parts")
    if isinstance(tunable, str) and tunable:
        return _trained_or_not(TUNABLE[part] in [each.strip() for each in tunable.split(",")])
    return _trained_or_not({TOWER: _tower, PROJECTOR: _projector, LANGUAGE_MODEL: _language_model}[part](config))


def _tower(config: JsonObject) -> bool | None:
    frozen = config.get(TOWER_FROZEN)
    if isinstance(frozen, bool):
        return not frozen
    said = [config[key] for key in TOWER_TRAINED if isinstance(config.get(key), bool)]
    return any(said) if said else None


def _projector(config: JsonObject) -> bool | None:
    tuned, frozen = config.get("tune_mm_mlp_adapter"), config.get("freeze_mm_mlp_adapter")
    if frozen is True:
        return False
    if tuned is True or _is_nested(config):
        return tuned if isinstance(tuned, bool) else None
    return True if frozen is False else None  # trained with all the rest


def _language_model(config: JsonObject) -> bool | None:
    """LLaVA's ``tune_mm_mlp_adapter`` trains the projector alone; Mipha's says of the projector whether it is trained."""
    frozen, alone = config.get("freeze_backbone"), config.get("tune_mm_mlp_adapter")
    if isinstance(frozen, bool):
        return not frozen
    return None if _is_nested(config) or not isinstance(alone, bool) else not alone


def _trained_or_not(trained: bool | None) -> str:
    return "" if trained is None else FULL if trained else FROZEN


def _trained(states: Mapping[str, str]) -> str:
    if not states:
        return ""
    if all(states.get(part) == FULL for part in PARTS):
        return "all"
    marks = {FULL: "", None: "?"}
    told = [
        f"{part}{marks.get(state, f' ({state})')}"
        for part, state in zip(PARTS, map(states.get, PARTS), strict=True)
        if state != FROZEN
    ]
    return ", ".join(told) or "none"


def _rank(config: JsonObject, adapter: JsonObject | None) -> dict[str, str]:
    if not _lora(config, adapter):
        return {"lora_rank": "none"}
    rank = _text((adapter or {}).get("r"), config.get("lora_r"))
    return {"lora_rank": rank} if rank else {}


def _lora(config: JsonObject, adapter: JsonObject | None) -> bool:
    return adapter is not None or config.get("lora_enable") is True


def _is_nested(config: JsonObject) -> bool:
    """Whether it is of the layout of Mipha and LLaVA-Phi, whose trainers write the same keys."""
    return bool(_nested(config, "vision_tower") or _nested(config, "mm_projector"))


def _nested(config: JsonObject, name: str) -> JsonObject:
    vision = config.get("vision_config")
    part = vision.get(name) if isinstance(vision, Mapping) else None
    return part if isinstance(part, Mapping) else {}


def _text(*values: Json) -> str:
    """The first that says something: a text, or a number."""
    return next((str(value) for value in values if value not in (None, "", [], {}) and not isinstance(value, bool)), "")
