"""One checkpoint made of another."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mipha_eval.core.errors import RequestError, UserError
from mipha_eval.core.options import unknown
from mipha_eval.models.checkpoint_folder import locate_checkpoint
from mipha_eval.models.conversion.new_folder import check_free
from mipha_eval.models.conversion.planned_weight import PlannedWeight
from mipha_eval.models.conversion.to_llava import to_llava
from mipha_eval.models.conversion.to_safetensors import to_safetensors
from mipha_eval.models.conversion.to_transformers import to_transformers
from mipha_eval.models.llava_style.files import Places
from mipha_eval.models.transformers_messages import keep_off_terminal

#: what a checkpoint can be written as
FORMS = ("safetensors", "transformers", "llava")


@dataclass(frozen=True, kw_only=True)
class Conversion:
    """What is asked for.

    Attributes:
        path: a checkpoint's folder or hub id, `revision` a commit or tag there.
        target: the folder to be.
        form: one of `FORMS`.
        base, vision_tower, template: as of the adapters; for the form ``transformers``.
    """

    path: str
    target: Path
    form: str = "safetensors"
    revision: str | None = None
    base: str = ""
    vision_tower: str = ""
    template: str = ""


def convert(asked: Conversion) -> list[PlannedWeight]:
    """Writes a checkpoint, and gives the weights that were written. Raises UserError, and then nothing was written."""
    keep_off_terminal()
    if asked.form not in FORMS:
        raise UserError(unknown("form of a checkpoint", asked.form, FORMS), flag="--to")
    others = {"base": asked.base, "vision_tower": asked.vision_tower, "template": asked.template}
    given = [name for name, value in others.items() if value]
    if given and asked.form != "transformers":
        raise UserError(f"{given[0]} is for what is written as transformers", flag="--to transformers")
    check_free(asked.target)
    if Path(asked.path).is_file():
        raise UserError(f"{asked.path} is a file; name the checkpoint's folder, {Path(asked.path).parent}")
    source = locate_checkpoint(asked.path, asked.revision, pickled=True)
    try:
        return _written(source, asked)
    except RequestError as error:  # of the questions by which what was written is compared
        raise UserError(f"{source}: {error}") from error


def _written(source: Path, asked: Conversion) -> list[PlannedWeight]:
    if asked.form == "safetensors":
        return to_safetensors(source, asked.target)
    if asked.form == "llava":
        return to_llava(source, asked.target)
    base = locate_checkpoint(asked.base, pickled=True) if asked.base else None
    return to_transformers(Places(source, base, asked.vision_tower, pickled=True), asked.target, asked.template)
