"""Which benchmark an answer file of another suite says that it answers, so that nobody else needs to say it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from mipha_eval.core.errors import UserError
from mipha_eval.core.files import parse_json
from mipha_eval.core.json_value import Json
from mipha_eval.core.plugins.registry import Registry
from mipha_eval.data.suite_files.inspect_log import HEADS
from mipha_eval.data.suite_files.members import read_members
from mipha_eval.data.suite_files.stored import StoredFile
from mipha_eval.data.suite_files.vlmevalkit import NEEDED
from mipha_eval.scoring.suite_rules import lmms_eval, vlmevalkit
from mipha_eval.scoring.suite_rules.suites import SUITES
from mipha_eval.store.run_names import file_name

#: how lmms-eval calls a file of samples, before its ending
SAMPLES = re.compile(r"(?:.*_)?samples_(?P<task>.+)")


def told_task(path: Path, registry: Registry) -> str | None:
    """The name of a task that is known here, as a file's suite has it: lmms-eval and VLMEvalKit in the name of the file,
    Inspect in the log; None where it does not say, or names what is not known here, or several.
    """
    try:
        file = StoredFile(path)
        return None if path.is_dir() or file.is_pickle else _told(file, registry)
    except (UserError, ValueError):  # what is wrong with it is told where its answers are read
        return None


def _told(file: StoredFile, registry: Registry) -> str | None:
    logged = _of_inspect(file)
    if logged is not None:
        return _known(logged.rpartition("/")[2], registry)
    samples = SAMPLES.fullmatch(file_name(file.path))
    if samples is not None and "doc_id" in file.sample:
        return _ours(lmms_eval.NAME, samples["task"], registry)
    words = file_name(file.path).split("_")
    ends = ("_".join(words[place:]) for place in range(1, len(words)))
    found = next((ours for name in ends if (ours := _ours(vlmevalkit.NAME, name, registry))), None)
    return found if found is not None and {*file.columns, *file.sample} >= NEEDED else None


def _of_inspect(file: StoredFile) -> str | None:
    """What a log of Inspect calls its task; None for other files."""
    heads = read_members(file.path, lambda name: name in HEADS) if file.members else ()
    whole: Json = next((parse_json(content.decode()) for _, content in heads), None) if file.members else file.whole
    spec = whole.get("eval") if isinstance(whole, Mapping) and "version" in whole else None
    name = spec.get("task") if isinstance(spec, Mapping) else None
    return name if isinstance(name, str) else None


def _ours(suite: str, name: str, registry: Registry) -> str | None:
    """The task that a suite's name is of, with the protocol if that is not the usual one."""
    named = {(rule.task, rule.protocols) for rule in SUITES[suite].rules if rule.name.partition(":")[0] == name}
    if not named:
        return _known(name.casefold(), registry)
    if len(named) > 1:
        return None
    ((task, protocols),) = named
    if _known(task, registry) is None or len(protocols) != 1:
        return _known(task, registry)
    usual = next(iter(registry.load("tasks", task)[0].protocols), None)
    return task if protocols[0] == usual else f"{task}@{protocols[0]}"


def _known(name: str, registry: Registry) -> str | None:
    return name if name.partition("@")[0] in registry.names("tasks") else None
