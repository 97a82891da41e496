"""Held-out scenes for the demo's benchmarks, and writing their pictures and files."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from mipha_eval.demo.scenes import Scene, draw_scene, sample_scene


def held_out_scenes(rng: random.Random, things: tuple[int, int] = (1, 5), text_share: float = 0.6) -> Iterator[Scene]:
    """Distinct held-out scenes, without end."""
    seen = set()
    while True:
        scene = sample_scene(rng, things, text_share)
        if scene.held_out and scene not in seen:
            seen.add(scene)
            yield scene


def save_images(folder: Path, scenes: Mapping[str, Scene], rng: random.Random) -> None:
    """Draws each scene to the file of its name; JPEG with next to no loss where the benchmark's names say so."""
    for name, scene in scenes.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        picture = draw_scene(scene, rng)
        if name.endswith(".jpg"):
            picture.save(folder / name, quality=95, subsampling=0)
        else:
            picture.save(folder / name)


def write_lines(path: Path, rows: Iterable[Mapping[str, object]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def write_json(path: Path, value: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value), encoding="utf-8")
