"""The files of a checkpoint in one of the layouts, looked at but not read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from mipha_eval.core.errors import UserError
from mipha_eval.core.json_value import JsonObject
from mipha_eval.models.checkpoint_folder import locate_checkpoint
from mipha_eval.models.error_line import reason
from mipha_eval.models.fingerprint import fingerprint, read_files, settings_files
from mipha_eval.models.llava_style.additions import Additions
from mipha_eval.models.llava_style.description import Description
from mipha_eval.models.llava_style.layouts import layout_of
from mipha_eval.models.llava_style.layouts.layout import Layout
from mipha_eval.models.llava_style.lora import LoraAdapter
from mipha_eval.models.llava_style.parts import Parts
from mipha_eval.models.llava_style.pixels import Preprocessor
from mipha_eval.models.llava_style.towers import TOWERS
from mipha_eval.models.settings import read_settings
from mipha_eval.models.weights import Stored, has_weights, read_headers, weight_files


@dataclass(frozen=True)
class Places:
    """Where the parts of a checkpoint are.

    Attributes:
        folder: the checkpoint.
        base: the whole model that a LoRA adapter, or a projector alone, was trained on.
        tower: a folder or hub id of the vision tower; "" for the one that the checkpoint names.
        pickled: whether ``.bin`` files may be read.
    """

    folder: Path
    base: Path | None = None
    tower: str = ""
    pickled: bool = False

    @property
    def settings(self) -> Path:
        """The ``config.json`` that counts: the checkpoint's before its base's."""
        own = self.folder / "config.json"
        return own if own.is_file() or self.base is None else self.base / "config.json"


@dataclass(frozen=True)
class CheckpointFiles:
    """A checkpoint.

    Attributes:
        stored: headers of its weights by their official names, whatever file they are in.
        adapter: what is merged into them.
        tower_folder: the tower's own folder, if something is read from there.
    """

    places: Places
    layout: Layout
    config: JsonObject
    stored: Mapping[str, Stored]
    adapter: LoraAdapter | None = None
    tower_folder: Path | None = None

    @classmethod
    def of(cls, places: Places, model: str) -> CheckpointFiles:
        """Looks at a checkpoint, at its base, and at its tower's folder if it has no tower itself.

        Args:
            model: the name of the model that is to run it.

        Raises:
            UserError: it is another model's, incomplete, or damaged.
        """
        folder, pickled = places.folder, places.pickled
        if places.base is None and (folder / "adapter_config.json").is_file() and not (folder / "config.json").is_file():
            raise UserError(f"{folder} is an adapter (LoRA); name its base model, or merge the two", flag="-a base=PATH")
        config = _with_own_tower(places.settings)
        layout = layout_of(folder, config, model)
        additions = Additions.of(folder, pickled=pickled)
        if additions is None:
            stored = read_headers(weight_files(folder, pickled=pickled))
        elif places.base is None:
            raise UserError(
                f"{folder} holds {additions.name} and needs the model that it was trained on", flag="-a base=PATH"
            )
        else:
            stored = {**read_headers(weight_files(places.base, pickled=pickled)), **additions.stored}
            if additions.adapter:
                additions.adapter.check_base(stored)
        found = cls(places, layout, config, stored, additions.adapter if additions else None)
        return found._with_tower()

    def _with_tower(self) -> CheckpointFiles:
        """With what the tower's own folder has and the checkpoint has not: its weights, its configuration."""
        prefix = self.layout.tower_prefix
        inside = any(key.startswith(prefix) for key in self.stored)
        described = self.described
        if inside and described.tower:
            return self
        folder = self._locate_tower(described.tower_name)
        stored = dict(self.stored)
        if not (inside and (self.layout.own_tower(self.config) or not has_weights(folder, pickled=self.places.pickled))):
            beside = read_headers(weight_files(folder, pickled=self.places.pickled))
            own = {key: header for key, header in stored.items() if not key.startswith(prefix)}
            stored = own | {prefix + key: header for key, header in beside.items() if _is_vision(key, beside)}
        return CheckpointFiles(self.places, self.layout, self.config, stored, self.adapter, folder)

    def _locate_tower(self, named: str) -> Path:
        inside = self.places.settings.parent / named
        if named and not self.places.tower and inside.is_dir():
            return inside
        try:
            return locate_checkpoint(self.places.tower or named, pickled=self.places.pickled)
        except UserError as error:
            if self.places.tower:
                raise
            raise UserError(
                f"{self.places.folder} has no vision tower among its weights, or not its configuration, and the one that it "
                f"names, {named}, is not here; name its folder or hub id as vision_tower=",
                flag="-a vision_tower=PATH_OR_ID",
            ) from error

    def parts(self) -> Parts:
        """What it is made of. Raises UserError for what is not supported."""
        tower = read_settings(self.tower_folder / "config.json") if self.tower_folder else None
        with errors_naming(self.places.settings):
            return Parts.of(self.layout, self.config, self.stored, tower)

    @cached_property
    def described(self) -> Description:
        """What its settings say. Raises UserError for what is not supported."""
        with errors_naming(self.places.settings):
            return self.layout.describe(self.config)

    def preprocessor(self, parts: Parts, aspect: str | None = None) -> Preprocessor:
        """What the image processor's settings say, and where there are none, the tower's kind. Raises UserError.

        Args:
            aspect: in place of the checkpoint's ``image_aspect_ratio``.
        """
        file = self._processor_file()
        side = parts.pixels[0]
        settings = read_settings(file) if file else {}
        if not file or parts.description.scales:
            settings = {**settings, "size": side, "crop_size": side}
        made = Preprocessor.from_settings(settings, aspect or parts.description.aspect, parts.tower.processor)
        if not parts.tower.any_size and (made.height, made.width) != parts.pixels:
            found = f"preprocessor makes {made.width} x {made.height} pixels, the tower takes {side}"
            raise UserError(f"{file.parent if file else self.places.folder}: {found}")
        return made

    def _processor_file(self) -> Path | None:
        own = [self.places.folder, *([self.places.base] if self.places.base else [])]
        tower = [self.tower_folder] if self.tower_folder else []
        folders = own + tower if self.layout.processor == "checkpoint" else tower + own
        files = (folder / "preprocessor_config.json" for folder in folders)
        return next((file for file in files if file.is_file()), None)

    @property
    def tokenizer_folder(self) -> Path:
        """Where the tokenizer is: with the base model, if there is one."""
        return self.places.base or self.places.folder

    @property
    def named_template(self) -> str:
        """The conversation template that the official code takes by the checkpoint's name; "" for the usual one."""
        folder = self.places.folder.resolve()
        if folder.parent.name == "snapshots":  # of a hub repository, whose name is further up
            folder = folder.parent.parent
        name = (folder.parent if folder.name.startswith("checkpoint") else folder).name.lower()
        return next((template for word, template in self.layout.named if word in name), "")

    @property
    def decodes_slowly(self) -> bool:
        """Whether the official code takes the tokenizer that was written in Python."""
        return self.layout.slow_tokenizer(self.config, self.places.base is not None)

    def read_files(self) -> list[Path]:
        """The checkpoint's own files that are read, without those of its base and its tower."""
        additions = Additions.of(self.places.folder, pickled=self.places.pickled)
        if additions is None:
            return read_files(self.places.folder, pickled=self.places.pickled)
        extra = [self.places.folder / "adapter_config.json"] if additions.adapter else []
        return sorted({*settings_files(self.places.folder), *additions.files, *extra})

    def digests(self) -> JsonObject:
        """Identifies what is read from other folders, for the manifest."""
        others = {"base": self.places.base, "vision_tower": self.tower_folder}
        return {name: fingerprint(each, self._read_of(each)) for name, each in others.items() if each}

    def _read_of(self, folder: Path) -> list[Path]:
        """What is read of another folder: of a tower's, perhaps its settings alone."""
        if any(stored.file.is_relative_to(folder) for stored in self.stored.values()):
            return read_files(folder, pickled=self.places.pickled)
        return sorted(settings_files(folder))


def _with_own_tower(file: Path) -> JsonObject:
    """A ``config.json``; a tower in the checkpoint's folder is named by its place there, wherever the folder was moved."""
    config = read_settings(file)
    named = config.get("mm_vision_tower")
    if not isinstance(named, str):
        return config
    inside = named.rstrip("/").rpartition("/")[2]
    return {**config, "mm_vision_tower": inside} if (file.parent / inside / "config.json").is_file() and inside else config


@contextmanager
def errors_naming(file: Path) -> Iterator[None]:
    """Errors of what a configuration says, as one line that names the file."""
    try:
        yield
    except UserError as error:
        raise UserError(f"{file}: {error}", flag=error.flag) from error
    except Exception as error:  # whatever odd configurations lead to, in transformers' classes too
        raise UserError(f"{file} does not describe a model of this layout: {reason(error)}") from error


def _is_vision(key: str, others: Mapping[str, Stored]) -> bool:
    """Whether a weight of a tower's own checkpoint is the tower's; CLIP and SigLIP come with a text model, too."""
    prefixes = tuple(tower.prefix for tower in TOWERS)
    return key.startswith(prefixes) or not any(other.startswith(prefixes) for other in others)
