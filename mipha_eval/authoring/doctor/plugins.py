"""Plugins of installed packages: whether each can be imported."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import EntryPoint

from mipha_eval.authoring.doctor.elsewhere import Elsewhere, ElsewhereError
from mipha_eval.authoring.finding import Finding
from mipha_eval.core.errors import UserError
from mipha_eval.core.plugins.plugin_code import WORDS, Kind
from mipha_eval.core.plugins.registry import Plugin, Registry

KINDS: tuple[Kind, ...] = ("tasks", "model_adapters")


class InstalledPlugins:
    """Each is imported in a process of its own, all at the same time."""

    def __init__(self) -> None:
        self._registry = Registry()
        self.found = [
            plugin
            for kind in KINDS
            for plugin in (*self._registry.names(kind).values(), *self._left_out(kind))
            if isinstance(plugin.place, EntryPoint)
        ]
        self._begun = {
            (plugin.kind, plugin.name): Elsewhere(__name__, "import_plugin", (plugin.kind, plugin.name))
            for plugin in self.found
            if plugin not in self._registry.left_out.values()
        }

    def _left_out(self, kind: Kind) -> list[Plugin]:
        return [plugin for plugin in self._registry.left_out.values() if plugin.kind == kind]

    def findings(self) -> Iterator[Finding]:
        """How many there are, and a line each."""
        bundled = ", ".join(f"{len(self._registry.names(kind))} {WORDS[kind]}s" for kind in KINDS)
        yield Finding("plugins", "ok", f"{bundled} in all, {len(self.found)} of them from other packages")
        for plugin in self.found:
            yield self._finding(plugin)

    def _finding(self, plugin: Plugin) -> Finding:
        name, source = f"{WORDS[plugin.kind]} {plugin.name}", plugin.summary
        begun = self._begun.get((plugin.kind, plugin.name))
        if begun is None:
            return Finding(name, "note", f"{source}: left out, since mipha-eval has a task of that name")
        try:
            wrong = begun.result()
        except ElsewhereError as error:
            wrong = f"cannot be imported: {error}"
        return Finding(name, "note", f"{source}: {wrong}") if wrong else Finding(name, "ok", f"{source}: can be imported")


def import_plugin(kind: Kind, name: str) -> str:
    """Why a plugin cannot be used; "" if it can. For a process of its own."""
    try:
        Registry().load(kind, name)
    except UserError as error:
        return " ".join(str(error).split())
    return ""
