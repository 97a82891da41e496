"""How a task is built, so that it can be built anew, and in another process."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mipha_eval.core.errors import UserError
from mipha_eval.core.plugins.registry import Registry
from mipha_eval.core.plugins.selection import build_task, of_task
from mipha_eval.core.task import Task
from mipha_eval.data.parse_source import parse_source


@dataclass(frozen=True)
class Recipe:
    """What a user named.

    Attributes:
        name: ``task`` or ``task@protocol``; or a plugin file, which then needs to have one task.
        options: of the task, as ``key`` or ``task.key``.
        data: as in ``--data``.
        image_dirs: task -> folder with its images.
        plugins: files.
    """

    name: str
    options: Mapping[str, str] = field(default_factory=dict)
    data: str = "demo"
    image_dirs: Mapping[str, str] = field(default_factory=dict)
    plugins: tuple[str, ...] = ()

    def build(self, **changed: str) -> Task:
        """The task, with options changed. Raises UserError."""
        registry = Registry([Path(file) for file in self.plugins])
        source = parse_source(self.data, {task: Path(folder) for task, folder in self.image_dirs.items()})
        return build_task(self.name, of_task(self.name, {**self.options, **changed}), source, registry)

    def as_json(self) -> str:
        """A text from which another process makes it again."""
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Recipe:
        """What `as_json` wrote."""
        given = json.loads(text)
        return cls(**{**given, "plugins": tuple(given["plugins"])})

    def named(self) -> Recipe:
        """The recipe of the one task in a plugin file, where the name is that of such a file; else this one itself."""
        file = Path(self.name)
        if file.suffix != ".py" or not file.is_file():
            return self
        plugins = tuple(dict.fromkeys((*self.plugins, self.name)))
        registry = Registry([Path(each) for each in plugins])
        tasks = registry.names("tasks")
        registry.check_files()
        own = [name for name, plugin in tasks.items() if plugin.place == file]
        if len(own) != 1:
            found = f"has the tasks {', '.join(own)}; name one of them" if own else "defines no task"
            raise UserError(f"{file} {found}", flag="--plugin" if own else "")
        return dataclasses.replace(self, name=own[0], plugins=plugins)
