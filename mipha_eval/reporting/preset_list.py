"""Presets as a list: what runs them, how their papers asked them, and what these published, with sources."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from mipha_eval.core.json_value import Json
from mipha_eval.core.plugins.presets import Asked, Preset
from mipha_eval.core.printable import printable
from mipha_eval.reporting.marks import shortened
from mipha_eval.reporting.published import Quote

#: letters of an option's value in a list for people
LONGEST = 90


def preset_objects(presets: Sequence[Preset], quotes: Sequence[Quote]) -> dict[str, Json]:
    """All that is known of each, for JSON."""
    return {preset.name: _object(preset, _numbers(preset, quotes)) for preset in presets}


def _object(preset: Preset, numbers: Sequence[Quote]) -> dict[str, Json]:
    return {
        "summary": preset.summary,
        "adapter": preset.adapter,
        "options": dict(preset.options),
        "revision": preset.options.get("revision"),
        "licence": preset.licence,
        "source": preset.source,
        "unverified": preset.unverified,
        "as_published": {task or "all": _asked_object(each) for task, each in preset.asked.items()},
        "published": [
            {"benchmark": quote.benchmark, "value": quote.value, "metric": quote.metric, "source": quote.source}
            for quote in numbers
        ],
    }


def _asked_object(asked: Asked) -> dict[str, Json]:
    return {"options": dict(asked.options), "source": asked.source, "differs": list(asked.differs)}


def preset_lines(presets: Sequence[Preset], quotes: Sequence[Quote]) -> Iterator[str]:
    """The same for people."""
    for preset in presets:
        yield f"{preset.name}: {preset.summary}"
        yield f"  {preset.adapter}, {_told(preset.options)}{'' if 'revision' in preset.options else ', no revision known'}"
        if preset.unverified:
            yield f"  not looked up: {preset.unverified}"
        if preset.licence:
            yield f"  licence: {preset.licence}"
        for task, asked in preset.asked.items():
            yield from _asked_lines(task, asked)
        numbers = _numbers(preset, quotes)
        for source in dict.fromkeys(quote.source for quote in numbers):
            told = ", ".join(f"{quote.benchmark} {quote.value}" for quote in numbers if quote.source == source)
            yield f"  published as {preset.published}: {told} ({source})"
        yield f"  source: {preset.source}"


def _asked_lines(task: str, asked: Asked) -> Iterator[str]:
    what = _told(asked.options) or "as the suite asks it"
    yield f"  {task or 'every benchmark'} as published: {what}"
    yield from (f"    but: {line}" for line in asked.differs)


def _told(options: Mapping[str, str]) -> str:
    return ", ".join(f"{key}={printable(shortened(text, LONGEST))}" for key, text in options.items())


def _numbers(preset: Preset, quotes: Sequence[Quote]) -> list[Quote]:
    """What was published of its model: by its own authors, and by others where these published nothing."""
    found = [quote for quote in quotes if preset.published and quote.model == preset.published]
    return [quote for quote in found if quote.own] or found
