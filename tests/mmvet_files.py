"""A small MM-Vet with answers, and how to have it judged."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.conftest import Cli, Outcome, read_jsonl
from tests.judge_server import JudgeServer


@dataclass(frozen=True)
class SmallMmvet:
    """Questions about nothing, and a file of answers to them."""

    cli: Cli
    folder: Path

    @classmethod
    def write(cls, cli: Cli, folder: Path, texts: Sequence[str]) -> SmallMmvet:
        rows = {
            f"v1_{place}": {"imagename": "a.png", "question": f"Question {place}?", "answer": "a cat", "capability": ["rec"]}
            for place in range(len(texts))
        }
        (folder / "mm-vet").mkdir()
        (folder / "mm-vet/mm-vet.json").write_text(json.dumps(rows))
        (folder / "answers.json").write_text(json.dumps(dict(zip(rows, texts, strict=True))))
        return cls(cli, folder)

    def score(self, *flags: object) -> Outcome:
        return self.cli("score", "mmvet", "--answers", self.folder / "answers.json", "--data", self.folder, *flags)

    def judge(self, server: JudgeServer | str, *flags: object, model: str = "m") -> Outcome:
        url = server if isinstance(server, str) else server.url
        return self.score("--judge", model, "--judge-base-url", url, *flags)

    @property
    def verdicts_file(self) -> Path:
        return self.folder / "answers.json.mmvet@v1.verdicts.jsonl"

    @property
    def verdicts(self) -> list[dict[str, Any]]:
        return read_jsonl(self.verdicts_file)
