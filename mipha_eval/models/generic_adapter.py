"""Models that transformers loads itself, on one device or on several."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, TypeVar

import torch

from mipha_eval.core.errors import UserError
from mipha_eval.core.from_files import FromFiles
from mipha_eval.core.json_value import JsonObject
from mipha_eval.core.types import Request, Response
from mipha_eval.models.checkpoint_folder import local_files
from mipha_eval.models.device import choose_device, choose_dtype, device_name
from mipha_eval.models.device_map import DeviceMap, layers_by_device, report
from mipha_eval.models.fingerprint import read_files
from mipha_eval.models.prefix import Pixels
from mipha_eval.models.tensor_parallel.group import Alone, Group
from mipha_eval.models.tensor_parallel.leader import Leader
from mipha_eval.models.tensor_parallel.plan import check_devices, check_plan
from mipha_eval.models.token_budget import batch_tokens, cache_bytes
from mipha_eval.models.transformers_adapter import TransformersAdapter

if TYPE_CHECKING:
    from mipha_eval.models.generating_model import GeneratingModel
    from mipha_eval.models.generic_model import GenericModel

Made = TypeVar("Made")

#: what is known of a checkpoint whoever computes it
OF_FILES = frozenset({"folder", "before", "digest", "_weights", "known", "_ahead"})


@dataclass(frozen=True, kw_only=True)
class GenericAdapter(TransformersAdapter[Pixels], FromFiles):
    """Options: `device_map` spreads a model that is larger than a GPU over all that can be seen: ``auto``, ``balanced`` or
    ``sequential`` (one after the other is filled); `tp` is over how many GPUs each of its layers is cut, a process each.
    """

    spreading: ClassVar[frozenset[str]] = frozenset({"device_map", "tp"})

    device_map: str | None = None
    tp: int = 1

    @property
    @abstractmethod
    def known(self) -> GenericModel:
        """The model without its weights."""

    @cached_property
    def group(self) -> Group:
        """The processes that compute together."""
        if self.tp == 1:
            return Alone()
        check_devices(self.tp, self.device, self.device_map)
        check_plan(self.known, self.tp)
        return Leader(self, self.tp)

    @cached_property
    def spread(self) -> DeviceMap:
        """Which part lies where. Raises UserError."""
        if self.device_map is None:
            return DeviceMap.on(choose_device(self.device))
        if self.device != "auto":
            raise UserError("device_map says where weights lie; leave out the device", flag="--device")
        return DeviceMap.spread(self.known, self.device_map, choose_dtype(self.dtype, choose_device("auto")))

    @cached_property
    def place(self) -> tuple[torch.device, torch.dtype]:
        return self.spread.main, choose_dtype(self.dtype, self.spread.main)

    def look_ahead(self) -> None:
        """Finds out whether the devices can hold it, before a weight is read. Raises UserError."""
        if self.tp < 1:
            raise UserError(f"tp={self.tp}: a model is cut for one process at least")
        _ = self.group, self.spread

    @cached_property
    def network(self) -> GeneratingModel:
        return self.together("network", self._load)

    def _load(self) -> GeneratingModel:
        model = self.known.load(self.place[1], self.spread.parts, ranks=self.tp)
        if self.device_map is not None:
            report(model)
        return model

    def read_files(self) -> list[Path]:
        return read_files(self.folder, pickled=self.allow_bin)

    def deciding_files(self) -> list[Path]:
        return local_files(self.path, self.before) if self.device_map is None and self.tp == 1 else []

    def together(self, what: str, own: Callable[[], Made], batch: Sequence[Request] | None = None) -> Made:
        """Does something in all processes at once, as each computes a share of every layer.

        Args:
            what: the attribute that the others read or, with a batch, the method that they call with it.
            own: the same here.

        Raises:
            UserError: another process failed, or ended.
        """
        if self.group.inside:
            return own()
        try:
            return self.group.together(what, own, batch)
        except BaseException:
            self._forget()
            raise

    def respond(self, batch: Sequence[Request]) -> list[Response]:
        return self.together("respond", lambda: super(GenericAdapter, self).respond(batch), batch)

    def reference(self, batch: Sequence[Request]) -> list[Response]:
        return self.together("reference", lambda: super(GenericAdapter, self).reference(batch), batch)

    def close(self) -> None:
        self._forget()

    def _forget(self) -> None:
        """Ends other processes, where there are some, and gives up what holds weights; both come again when asked for."""
        if self.tp > 1 and "group" in vars(self):
            self.group.close()
            # new processes know nothing: what this one knew and they do not would part their ways
            for name in vars(self).keys() - {field.name for field in fields(self)} - OF_FILES:
                del vars(self)[name]

    def describe(self) -> JsonObject:
        device = f"{self.tp} x {device_name(self.place[0])}" if self.tp > 1 else self.spread.text
        return {**super().describe(), "device": device}

    def budget(self) -> int:
        if self.device_map is None and self.tp == 1:
            return super().budget()
        whole = cache_bytes(self.decoder.config, self.place[1])
        shares = {self.place[0]: 1.0} if self.tp > 1 else layers_by_device(self.network)
        return min(batch_tokens(device, max(1, int(share * whole))) for device, share in shares.items())
