"""Whether what answered a task's questions was alike: the devices, and the versions of Python and packages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from mipha_eval.core.types import Response
from mipha_eval.store.manifest import Manifest


class Maker(NamedTuple):
    """What answers were made with; empty texts where nobody knows."""

    device: str
    versions: Mapping[str, str]


def workers_note(responses: Iterable[Response], manifest: Manifest) -> str:
    """In what the makers of answers differ, as a phrase; empty where they are alike, or only one is known.

    A package that is noted of one maker alone is no difference, since it may be there and not noted. Failed responses are no
    answers.

    Args:
        responses: as they are stored, with the numbers of workers.
        manifest: of their run, which describes the workers, and the run's own process.
    """
    numbers = {response.worker for response in responses if not response.error}
    known: dict[int | None, Maker] = {None: _own_process(manifest)}
    known |= {each.index: Maker(each.device, {"Python": each.python, **each.packages}) for each in manifest.workers}
    unknown = len(numbers - known.keys())
    parts = [*_differences([known[number] for number in known if number in numbers])]
    if unknown:
        parts.append(f"by {unknown} worker{'s' if unknown > 1 else ''} that the manifest does not describe")
    return f"answered {', '.join(parts)}" if parts else ""


def _own_process(manifest: Manifest) -> Maker:
    """The process of the run's first command."""
    device = manifest.weights.get("device")
    own = {"Python": manifest.python, "mipha-eval": manifest.mipha_eval}
    return Maker(device if isinstance(device, str) else "", {**own, **manifest.packages})


def _differences(makers: Sequence[Maker]) -> Iterator[str]:
    devices = _listed(maker.device for maker in makers)
    if len(devices) > 1:
        yield f"on {len(devices)} kinds of device ({'; '.join(devices)})"
    for package in dict.fromkeys(name for maker in makers for name in maker.versions):
        versions = _listed(maker.versions.get(package, "") for maker in makers)
        if len(versions) > 1:
            yield f"with {len(versions)} versions of {package} ({'; '.join(versions)})"


def _listed(texts: Iterable[str]) -> list[str]:
    """Each once, in order; empty ones left out."""
    return sorted({text for text in texts if text}, key=lambda text: (text.casefold(), text))
