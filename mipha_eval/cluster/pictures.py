"""How pictures get to workers: as files that they see themselves, else from the driver, once a node."""

from __future__ import annotations

import dataclasses
from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from mipha_eval.cluster.cluster import Cluster, PictureRef
from mipha_eval.cluster.messages import Picture, SentImage, SentRequest
from mipha_eval.core.data_source import ImageFile
from mipha_eval.core.errors import RequestError, UserError
from mipha_eval.core.types import Image, Request
from mipha_eval.data.images import image_digest

#: pictures that are kept where all nodes can get them, for questions about them that another worker gets
KEPT = 1000
#: files of a folder that are tried until one can be read
TRIED = 20

#: of each folder a file, and the digest of its bytes
FolderSamples = Mapping[str, tuple[ImageFile, str]]


class Pictures:
    """The pictures of requests, on their way to workers."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._kept: OrderedDict[str, PictureRef] = OrderedDict()

    def sent(
        self, requests: Sequence[Request], folders: Collection[str], sent_on: Collection[str]
    ) -> tuple[list[SentRequest], dict[str, PictureRef]]:
        """Requests for a worker, and by location the pictures that it cannot read.

        Args:
            folders: those that it sees.
            sent_on: locations of pictures that it does not find there.
        """
        refs: dict[str, PictureRef] = {}
        made: dict[str, SentImage] = {}

        def send(image: Image) -> SentImage:
            if image.view not in made:
                file = absolute_file(image) if image.location not in sent_on else None
                seen = file is not None and str(file.folder) in folders
                if not seen:
                    refs[image.location] = self._put(image)
                place = (str(file.folder), file.name) if file is not None and seen else None
                made[image.view] = SentImage(image.name, image.location, image.padded, place)
            return made[image.view]

        return [SentRequest.of(each, tuple([send(image) for image in each.images])) for each in requests], refs

    def _put(self, image: Image) -> PictureRef:
        if image.location in self._kept:
            self._kept.move_to_end(image.location)
        else:
            self._kept[image.location] = self._cluster.put(_read(image))
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return self._kept[image.location]


def without_pictures(requests: Iterable[Request]) -> list[SentRequest]:
    """Requests of which nobody looks at a picture."""
    made: dict[str, SentImage] = {}

    def send(image: Image) -> SentImage:
        view = image.view
        if view not in made:
            made[view] = SentImage(image.name, image.location, image.padded, None)
        return made[view]

    return [SentRequest.of(each, tuple([send(image) for image in each.images])) for each in requests]


def absolute_file(image: Image) -> ImageFile | None:
    """The file of a picture, wherever a process is at home; None for a picture that is no file of its own."""
    file = image.read
    if not isinstance(file, ImageFile):
        return None
    return file if file.folder.is_absolute() else dataclasses.replace(file, folder=Path.cwd() / file.folder)


def folder_samples(requests: Iterable[Request]) -> FolderSamples:
    """A readable file of each folder that pictures are in, and its digest, so that others can look whether it is theirs."""
    tried: dict[str, dict[ImageFile, None]] = {}
    for request in requests:
        for image in request.images:
            if isinstance(image.read, ImageFile):
                seen = tried.setdefault(str(image.read.folder), {})
                if len(seen) < TRIED:
                    seen.setdefault(image.read)
    found: dict[str, tuple[ImageFile, str]] = {}
    for files in tried.values():
        for file in files:
            whole = absolute_file(Image(file.name, file.name, file))
            digest = image_digest(Image(file.name, file.name, file))
            if whole is not None and digest:
                found[str(whole.folder)] = whole, digest
                break
    return found


def _read(image: Image) -> Picture:
    try:
        return image.read()
    except (OSError, ValueError, UserError, RequestError) as error:
        return OSError(str(error))
