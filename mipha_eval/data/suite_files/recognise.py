"""Which suite wrote a file, by what is in it: each suite's module is asked in turn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from mipha_eval.core.errors import UserError
from mipha_eval.data.suite_files.evalscope import read_evalscope
from mipha_eval.data.suite_files.given import GivenFile
from mipha_eval.data.suite_files.inspect_log import read_inspect
from mipha_eval.data.suite_files.internvl import read_internvl
from mipha_eval.data.suite_files.llava import read_llava
from mipha_eval.data.suite_files.lmms_eval import read_lmms_eval
from mipha_eval.data.suite_files.stored import StoredFile
from mipha_eval.data.suite_files.vlmevalkit import read_vlmevalkit, read_vlmevalkit_list, refuse_pickle

Reader = Callable[[StoredFile], GivenFile | None]

#: forms that no benchmark has, so that they are looked for before its own
FIRST: Sequence[Reader] = (refuse_pickle, read_lmms_eval, read_evalscope, read_inspect, read_vlmevalkit_list, read_internvl)
#: forms that may be a benchmark's own, too, which then knows better what they mean
LAST: Sequence[Reader] = (read_vlmevalkit, read_llava)


def recognise(path: Path, readers: Sequence[Reader]) -> GivenFile | None:
    """The answers of a file, or of the files in a folder, whose form one of the readers knows; None for other ones.

    Raises:
        UserError: a file cannot be read, is of the form and broken, or a folder holds files of several forms.
    """
    files = [StoredFile(path)] if not path.is_dir() else _texts(path)
    found = [(file, given) for file in files if (given := _read(file, readers)) is not None]
    if not found:
        return None
    forms = sorted({given.form for _, given in found})
    if len(forms) > 1:
        raise UserError(f"{path} holds {' and '.join(forms)}; give one of them")
    answers = [answer for _, given in found for answer in given.answers]
    return GivenFile(forms[0], answers, own_ids=all(given.own_ids for _, given in found))


def _texts(folder: Path) -> list[StoredFile]:
    """The files of a folder that somebody could have written answers to."""
    files = [StoredFile(file) for file in sorted(folder.iterdir()) if file.is_file() and not file.name.startswith(".")]
    return [file for file in files if file.is_readable]


def _read(file: StoredFile, readers: Sequence[Reader]) -> GivenFile | None:
    return next((given for reader in readers if (given := reader(file)) is not None), None)
