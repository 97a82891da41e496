"""Plugin files for the tests: a small task and a small model, with parts that a test replaces."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

#: four questions, of which the model below answers two right; its text as the parts of a class
TASK = {
    "head": "",
    "base": "Task",
    "options": "",
    "name": "name: ClassVar = 'quiz'",
    "protocols": "protocols: ClassVar = {'v1': 'four questions'}",
    "metrics": "metrics: ClassVar = [Metric('accuracy', lambda totals: 100 * totals['right'] / totals['asked'])]",
    "samples": """
    def samples(self):
        for number in range(4):
            answer = 'Yes' if number % 2 else 'No'
            yield Sample(str(number), f'Question {number}?', (answer,), (), number, 'odd' * (number % 2))
""",
    "score": """
    def score(self, sample, response):
        return self.scored(sample, Reading(response.text, 'exact'), response.text == sample.target[0])
""",
    "more": "",
}

MODEL = {
    "head": "",
    "name": "name: ClassVar = 'yes-man'",
    "generate": """
    def generate(self, batch):
        return [Response('Yes') for _ in batch]
""",
    "more": "",
}


def task_file(path: Path, **changed: str) -> Path:
    """Writes a task, with some of its parts replaced."""
    part = _replaced(TASK, changed)
    path.write_text(
        '"""A quiz."""\n\nimport os\nimport sys\nfrom dataclasses import dataclass, replace\nfrom typing import ClassVar\n\n'
        "from mipha_eval.core.reading import Reading\nfrom mipha_eval.core.metrics import Metric, share\n"
        "from mipha_eval.core.task import Task\nfrom mipha_eval.core.judged_task import JudgedTask\n"
        "from mipha_eval.core.types import Decoding, Query, Request, Response, Sample, Score\n\n"
        f"{part['head']}\n\n@dataclass(frozen=True)\nclass Quiz({part['base']}):\n"
        f"    {part['options']}\n    {part['name']}\n"
        f"    {part['protocols']}\n    {part['metrics']}\n{part['samples']}{part['score']}{part['more']}"
    )
    return path


def model_file(path: Path, **changed: str) -> Path:
    """Writes a model, with some of its parts replaced."""
    part = _replaced(MODEL, changed)
    path.write_text(
        '"""Says yes."""\n\nimport os\nimport sys\nfrom dataclasses import dataclass\nfrom typing import ClassVar\n\n'
        "from mipha_eval.core.adapter import Cost, ModelAdapter\nfrom mipha_eval.core.types import Response\n\n"
        f"{part['head']}\n\n@dataclass(frozen=True)\nclass YesMan(ModelAdapter):\n    {part['name']}\n"
        f"{part['generate']}{part['more']}"
    )
    return path


def _replaced(parts: Mapping[str, str], changed: Mapping[str, str]) -> dict[str, str]:
    assert changed.keys() <= parts.keys(), changed
    return {**parts, **changed}


def line_of(path: Path, text: str) -> int:
    """The number of the first line that has a text."""
    return next(number for number, line in enumerate(path.read_text().splitlines(), start=1) if text in line)
