"""What the settings of a checkpoint say, in one form for all layouts."""

from __future__ import annotations

from dataclasses import dataclass, field

from mipha_eval.core.json_value import JsonObject


@dataclass(frozen=True, kw_only=True)
class Description:
    """The parts of a model as its ``config.json`` has them.

    Attributes:
        decoder: entries that configure the language model, in transformers' words.
        tower: the vision tower's configuration; empty where only the tower's own folder has it.
        tower_name: the hub id or folder that the tower was made from.
        select_layer: which of the tower's hidden states is read, counted as in Python.
        select_feature: ``patch``, or ``cls_patch`` where the tower's first token stays.
        drops_first: whether ``patch`` takes the first token away even where that is no class token.
        scales: sides in pixels of the sizes in which a picture is read (S2), the smallest first; empty where it is one.
        projector: its kind, as ``mm_projector_type`` names it.
        projector_widths: what it maps from and to; None where the configuration does not say.
        aspect: ``image_aspect_ratio``.
        start_end: whether an image stands between tokens of its own.
        patch_token: whether the tokenizer is given a token for patches.
    """

    decoder: JsonObject
    tower: JsonObject = field(default_factory=dict)
    tower_name: str = ""
    select_layer: int = -2
    select_feature: str = "patch"
    drops_first: bool = False
    scales: tuple[int, ...] = ()
    projector: str = "linear"
    projector_widths: tuple[int, int] | None = None
    aspect: str | None = None
    start_end: bool = False
    patch_token: bool = True
