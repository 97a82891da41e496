"""Measures a checkpoint on held-out scenes and writes its model card: ``python -m training.card FOLDER``.

Beside every accuracy stand the baselines that need no picture: a blind run (grey pictures), the most frequent answer, and
the best answer to each wording, both learnt on other questions of the same kind.
"""

from __future__ import annotations

import argparse
import io
import itertools
import json
import random
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from mipha_eval.core.adapter import ModelAdapter
from mipha_eval.core.plugins.registry import Registry
from mipha_eval.core.plugins.selection import build_model, build_task
from mipha_eval.core.types import Decoding, Image, Request, Response, Sample
from mipha_eval.data.images import grey_image
from mipha_eval.data.parse_source import parse_source
from mipha_eval.demo.questions import Asker, Question
from mipha_eval.demo.scenes import Scene, draw_scene, sample_scene
from mipha_eval.engine.engine import Engine
from mipha_eval.scoring.result import score_responses
from training.kinds import FAMILIES, TEXT_ONLY

YES_NO = ("pope", "mme")
QUESTIONS = 400  # of each kind


@dataclass(frozen=True)
class Asked:
    """A question about a drawn scene."""

    question: Question
    image: Image
    pictured: bool

    def request(self, *, blind: bool) -> Request:
        image = grey_image(self.image) if blind else self.image
        return Request(self.question.prompt, (image,) if self.pictured else (), Decoding(64))


def ask(kind: str, asker: Asker, rng: random.Random) -> Iterator[Asked]:
    """Questions of a kind about held-out scenes, without end."""
    for number in itertools.count():
        scene = sample_scene(rng)
        question = asker(rng, scene) if scene.held_out else None
        if question is not None:
            name = f"{kind}/{number}.png"
            yield Asked(question, Image(name, name, partial(_png, scene, rng.random())), kind not in FAMILIES[TEXT_ONLY])


def _png(scene: Scene, seed: float) -> bytes:
    data = io.BytesIO()
    draw_scene(scene, random.Random(seed)).save(data, "PNG")
    return data.getvalue()


def accuracy(adapter: ModelAdapter, asked: Sequence[Asked], *, blind: bool) -> float:
    """Share of answers that equal the expected one, in percent."""
    requests = [each.request(blind=blind) for each in asked]
    answers: dict[int, Response] = {}
    for batch in Engine(adapter).run(requests):
        answers.update(batch)
    return 100 * sum(answers[number].text == each.question.answer for number, each in enumerate(asked)) / len(asked)


def baselines(asked: Sequence[Asked], others: Sequence[Asked]) -> tuple[float, float]:
    """Accuracy in percent of the most frequent answer and of the best answer to each wording, learnt on `others`."""
    overall = Counter(each.question.answer for each in others)
    by_wording: dict[str, Counter[str]] = defaultdict(Counter)
    for each in others:
        by_wording[each.question.text][each.question.answer] += 1
    majority = overall.most_common(1)[0][0]
    guesses = [(by_wording[each.question.text] or overall).most_common(1)[0][0] for each in asked]
    right = [guess == each.question.answer for guess, each in zip(guesses, asked, strict=True)]
    return 100 * sum(each.question.answer == majority for each in asked) / len(asked), 100 * sum(right) / len(right)


def kind_rows(adapter: ModelAdapter) -> Iterator[str]:
    """A table row for each kind of question."""
    for kind, asker in [pair for kinds in FAMILIES.values() for pair in kinds.items()]:
        rng = random.Random(f"card {kind}")
        asked = list(itertools.islice(ask(kind, asker, rng), QUESTIONS))
        others = list(itertools.islice(ask(kind, asker, rng), 5 * QUESTIONS))
        numbers = (accuracy(adapter, asked, blind=False), accuracy(adapter, asked, blind=True), *baselines(asked, others))
        yield f"| {kind} | " + " | ".join(f"{number:.1f}" for number in numbers) + " |"


def demo_rows(adapter: ModelAdapter, registry: Registry) -> Iterator[str]:
    """A table row for each demo task."""
    for name in registry.names("tasks"):
        task = build_task(name, {}, parse_source("demo", {}), registry)
        samples = list(task.samples())
        numbers = []
        for blind in (False, True):
            requests = [task.request(sample) for sample in samples]
            if blind:
                requests = [replace(each, images=tuple(map(grey_image, each.images))) for each in requests]
            answers = {samples[index].id: each for batch in Engine(adapter).run(requests) for index, each in batch}
            result = score_responses(task, samples, answers)
            right = 100 * sum(score.value for score in result.scores) / len(samples)
            numbers += [right, result.summary.metrics[result.summary.headline]]
        shown = [f"{number:.1f}" for number in numbers + (wording_baselines(samples) if name in YES_NO else [])]
        yield f"| {task.label} | {result.summary.headline} | " + " | ".join([*shown, "–", "–"][:6]) + " |"


def wording_baselines(samples: Sequence[Sample]) -> list[float]:
    """Accuracy in percent of the most frequent answer, and of the best answer to each wording, on these very questions."""
    truth = [sample.target[0].lower() for sample in samples]
    wordings: dict[str, Counter[str]] = defaultdict(Counter)
    for sample, label in zip(samples, truth, strict=True):
        wordings[sample.category + sample.prompt][label] += 1
    majority = max(Counter(truth).values())
    return [100 * right / len(truth) for right in (majority, sum(max(counts.values()) for counts in wordings.values()))]


def stage_line(record: Mapping[str, Any]) -> str:
    """How one stage of the training was run."""
    command = f"--seed {record['seed']} --steps {record['steps']} --images {record['images']}"
    start = " --start CHECKPOINT" if record.get("start") else f" --tower-steps {record['tower_steps']}"
    return (
        f"- `python -m training.train {command} --questions {record['questions']} --rate {record['rate']}{start}`:\n"
        f"  {record['minutes']} minutes on one core of a shared two-core machine, {record['questions_seen']:,} questions\n"
        f"  about {record['steps'] * record['images']:,} pictures"
    )


CARD = """# Mipha-Tiny

A Mipha (SigLIP tower, MLP projector, Phi decoder) with 3 million weights in the official checkpoint format, so that
a fresh machine can run the whole of mipha-eval. It knows drawn scenes of 96 x 96 pixels and nothing else; its numbers
are no benchmark results.

## Training

{training}

All scenes are drawn while training. First the tower alone learns what each patch shows; then, with the tower frozen,
projector and decoder learn to answer in Mipha's prompt. Stored in fp16.

One scene in sixteen, chosen by a hash of what it shows, is never trained on; every number below is on such scenes.

## Demo benchmarks

Accuracy: the mean worth of an answer in percent; captions are worth a tenth of their CIDEr. Blind: grey pictures.
Question only: the best answer to each wording, fitted on these very questions, so an upper bound of what the wording
tells; for the yes/no tasks.

| task | headline metric | accuracy | headline | accuracy, blind | headline, blind | majority | question only |
|---|---|---:|---:|---:|---:|---:|---:|
{demo}

## Kinds of questions

{count} held-out questions each, accuracy in percent; the baselines are learnt on 5 times as many other questions.

| kind | accuracy | blind | majority | question only |
|---|---:|---:|---:|---:|
{kinds}
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="a checkpoint with training.json")
    folder = parser.parse_args().folder
    registry = Registry()
    adapter = build_model("mipha", {"path": str(folder), "device": "cpu", "dtype": "float32"}, registry).adapter
    record = json.loads((folder / "training.json").read_text(encoding="utf-8"))
    card = CARD.format(
        training="\n".join(map(stage_line, [*record.get("before", ()), record])),
        count=QUESTIONS,
        demo="\n".join(demo_rows(adapter, registry)),
        kinds="\n".join(kind_rows(adapter)),
    )
    (folder / "README.md").write_text(card, encoding="utf-8")
    print(card)


if __name__ == "__main__":
    main()
