"""An auto class of transformers, such as `AutoModelForImageTextToText`, and what it says of its loading."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, TypeAlias, TypedDict

if TYPE_CHECKING:
    from transformers.models.auto.auto_factory import _BaseAutoModelClass

#: transformers gives it no public name
AutoModel: TypeAlias = "type[_BaseAutoModelClass]"


class LoadingInfo(TypedDict):
    """What did not fit when weights were loaded: names, and of a wrong shape also the one found and the one wanted."""

    missing_keys: Collection[str]
    unexpected_keys: Collection[str]
    mismatched_keys: Collection[tuple[str, Sequence[int], Sequence[int]]]
