"""A plugin's class before it is used: names that may stand in file names and cells, attributes of their types."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING

from mipha_eval.core.metrics import Metric
from mipha_eval.core.plugins.checks.refusal import refusal, shown
from mipha_eval.core.plugins.checks.scores import wrong_metrics

if TYPE_CHECKING:
    from mipha_eval.core.task import Task

#: a name that may be a file's on every machine, and is typed on a command line
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,59}")
PROTOCOL = re.compile(r"(?!demo)[A-Za-z0-9][A-Za-z0-9._-]{0,59}")  # the demo's data are a protocol of their own


def _is_text(value: object) -> bool:
    return type(value) is str


def _is_count(value: object) -> bool:
    return type(value) is int and value > 0


def _is_truth(value: object) -> bool:
    return type(value) is bool


def _is_variation(value: object) -> bool:
    return value == "" or (type(value) is str and NAME.fullmatch(value) is not None)


def _are_texts(value: object) -> bool:
    return isinstance(value, list | tuple) and all(map(_is_text, value))


def _are_names(value: object) -> bool:
    return isinstance(value, frozenset | set | list | tuple) and all(map(_is_text, value))


def _are_protocols(value: object) -> bool:
    return (
        isinstance(value, Mapping) and bool(value) and all(map(_is_protocol, value)) and all(map(_is_text, value.values()))
    )


def _is_protocol(value: object) -> bool:
    return type(value) is str and PROTOCOL.fullmatch(value) is not None


def _are_rows(value: object) -> bool:
    counts = value.values() if isinstance(value, Mapping) else [None]
    return all(isinstance(each, list | tuple) and all(map(_is_count, each)) for each in counts)


def _are_datasets(value: object) -> bool:
    return isinstance(value, Mapping) and all(map(_is_text, (*value, *value.values())))


def _are_metrics(value: object) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(each, Metric) for each in value)


Checks = Mapping[str, tuple[Callable[[object], bool], str]]

PROTOCOLS = "a dict of names, of letters, digits, - . _ and not beginning with demo, and a line of text on each"
TASK: Checks = {
    "protocols": (_are_protocols, PROTOCOLS),
    "variation": (_is_variation, "small letters, digits, - . _"),
    "version": (_is_count, "a whole number above 0"),
    "metrics": (_are_metrics, "a list of metrics"),
    "max_new_tokens": (_is_count, "a whole number above 0"),
    "rows": (_are_rows, "a dict of protocols and lists of whole numbers"),
    "hub": (_are_datasets, "a dict of protocols and names of datasets"),
    **dict.fromkeys(("annotated", "uploads", "without_judge"), (_are_texts, "a list of texts")),
    **dict.fromkeys(("lettered", "ignores_foreign_answers", "own_data"), (_is_truth, "True or False")),
    **dict.fromkeys(("licence", "citation"), (_is_text, "a text")),
}
#: attributes that only judged tasks and those for a server have
OF_SOME = ("uploads", "without_judge")
MODEL: Checks = {
    **dict.fromkeys(("reads_images", "shares", "steady", "ranks", "floor"), (_is_truth, "True or False")),
    **dict.fromkeys(("heeds", "ways", "added", "incidental"), (_are_names, "a set or tuple of options' names")),
}


def check_class(owner: type, word: str, checks: Checks) -> None:
    """Raises PluginError for a class whose name or another attribute cannot be used."""
    name = getattr(owner, "name", None)
    if not _is_text(name) or not NAME.fullmatch(name or ""):
        rule = "small letters, digits, - . _, at most 60 of them, a letter or digit first"
        raise refusal(owner, "name", f"class {owner.__name__} must have a name of {rule}, not {shown(name)}")
    for attribute, (fits, wanted) in checks.items():
        value = getattr(owner, attribute, () if attribute in OF_SOME else None)
        if not fits(value):
            raise refusal(owner, attribute, f"{attribute} of {word} {name} must be {wanted}, not {shown(value)}")


def check_metrics(owner: type[Task], usual: object) -> None:
    """Raises PluginError for a task without metrics, or with one that cannot be used.

    Args:
        usual: the method of all tasks that gives their metrics.
    """
    none = (
        "" if owner.metrics or owner.metrics_for is not usual else 'no metric; give it metrics = [Metric("name", formula)]'
    )
    wrong = none or wrong_metrics(owner.metrics)
    if wrong:
        raise refusal(owner, "metrics", f"task {owner.name} has {wrong}")


def check_options(owner: type, word: str, contract: type, options: Collection[str]) -> None:
    """Raises PluginError for an option that is called as something that every task or model has."""
    reserved = {*vars(contract), *contract.__annotations__} - {"protocol", "data"}
    clash = next((key for key in options if key in reserved), None)
    if clash is not None:
        own = f"{word} {getattr(owner, 'name', '')} calls an option {clash}"
        raise refusal(owner, clash, f"{own}, which every {word} has; it needs another name")
