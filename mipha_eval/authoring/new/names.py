"""What a new plugin is called: on the command line, as a file, and as a class."""

from __future__ import annotations

import builtins
import keyword
import re
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Literal

from mipha_eval.core.errors import UserError
from mipha_eval.core.plugins.checks.classes import NAME
from mipha_eval.core.plugins.plugin_code import WORDS, Kind
from mipha_eval.core.plugins.registry import Registry

What = Literal["task", "model", "package"]
#: what a new one's name may not be taken by
KINDS: Mapping[What, Sequence[Kind]] = {
    "task": ("tasks",),
    "model": ("model_adapters",),
    "package": ("tasks", "model_adapters"),
}
#: letters of a name, so that the lines of its file are not too long
LONGEST = 40
#: what pytest takes for a file of its own
RESERVED = ("conftest",)


@dataclass(frozen=True)
class Names:
    """A plugin's name in its three forms.

    Attributes:
        plain: as users type it.
        module: of its file or package.
        title: in words, for the first line of its file.
    """

    plain: str
    module: str
    title: str

    def class_name(self, suffix: str, taken: Collection[str]) -> str:
        """A name for its class that nothing else in its file has.

        Args:
            suffix: what is added where the name alone is taken.
        """
        found = "".join(part.capitalize() for part in self.module.split("_"))
        while found in taken or keyword.iskeyword(found) or hasattr(builtins, found):
            found += suffix
        return found


def checked_names(name: str, what: What) -> Names:
    """The forms of a new name.

    Raises:
        UserError: it cannot be a plugin's, a file's or a class's name, or is one of mipha-eval's own.
    """
    if not NAME.fullmatch(name) or not name[-1].isalnum() or len(name) > LONGEST:
        rule = f"small letters, digits, - . _, at most {LONGEST} of them, a letter or digit first and last"
        raise UserError(f"{what} {name!r}: a name has {rule}")
    names = named(name)
    if not names.module.isidentifier():
        raise UserError(f"{what} {name}: a file that Python imports cannot begin with a digit; put a letter first")
    if keyword.iskeyword(names.module) or names.module in RESERVED or _is_known(names.module):
        raise UserError(f"{what} {name}: Python has a module or a word {names.module} already; choose another name")
    for kind in KINDS[what]:
        taken = next((own for own in Registry().names(kind) if own.replace("_", "-") == name.replace("_", "-")), None)
        if taken is not None:
            raise UserError(f"{what} {name}: a {WORDS[kind]} of that name is there already; choose another name")
    return names


def named(name: str) -> Names:
    """The forms of a name that is known to be one."""
    return Names(name, re.sub(r"[-.]", "_", name), re.sub(r"[-._]+", " ", name).capitalize())


def _is_known(module: str) -> bool:
    """Whether a module of Python's own or of an installed package has the name; folders without code do not count.

    The current folder is left out: what lies there is seen when the files are written.
    """
    places = [place for place in sys.path if place and Path(place).resolve() != Path.cwd()]
    found = PathFinder.find_spec(module, places)
    return module in sys.stdlib_module_names or (found is not None and found.origin is not None)
