"""MMBench: multiple-choice questions asked with rotated options; only all rotations right count as right.

Paper: Liu et al., "MMBench: Is Your Multi-modal Model an All-around Player?", ECCV 2024 (arXiv:2307.06281). Prompt as in
LLaVA-1.5 and Mipha; reading and circular evaluation as in VLMEvalKit. A judge (``--judge``) is asked which option an answer
means where rules cannot read it and all other rotations are right.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from mipha_eval.core.alphabet import columns_of_options, lettered
from mipha_eval.core.answer_line import OfficialAnswer
from mipha_eval.core.format_lines import LETTER_ANSWER, LETTER_ANSWER_CN
from mipha_eval.core.json_value import JsonObject
from mipha_eval.core.judged_task import JudgedTask
from mipha_eval.core.metrics import Metric, Tally, Totals, share, shares_of_parts
from mipha_eval.core.reading import Reading
from mipha_eval.core.types import Answer, Dialogue, Image, Response, Sample, Score
from mipha_eval.core.upload_task import UploadTask
from mipha_eval.data.hub import read_hub
from mipha_eval.data.images import TablePictures
from mipha_eval.data.table import as_cells, indexed_rows, is_table, table_names, whole_number
from mipha_eval.scoring.answer_files import table_answers
from mipha_eval.scoring.answers.lenient import read_letter
from mipha_eval.scoring.answers.letters import read_mmbench
from mipha_eval.scoring.circular import circular_tally, match_unread, options_of

ROTATION = 1_000_000  # row index = base index + rotation x this
HINT = "the tables are at github.com/open-compass/MMBench (dev: 30 MB)"
NOT_UPLOADED = ("hint", "category", "source", "image", "comment", "l2-category")
PARTS = {"l2": "l2-category", "category": "category"}  # what results call them -> column of the table
TABLES = {
    "dev": ("dev_20230712", "dev_en_20231003", "dev_20230712_no_images"),
    "cn-dev": ("dev_cn_20231003", "dev_cn_20230712"),
    "test": ("test_20230712", "test_en_20231003"),
}
ENGLISH = "lmms-lab/MMBench_EN"  # lmms-lab-encoder/MMBench has an English table, too, but a later one with 4,329 rows


def is_none(cell: str | None) -> bool:
    """Whether LLaVA's script takes a cell for empty; pandas reads None and nan so, too."""
    return (cell or "").lower() in ("", "nan", "none")


def choices_of(cells: Mapping[str, str | None]) -> tuple[str, ...]:
    return tuple(cells.get(letter) or "" for letter in columns_of_options(cells))


def asked(cells: Mapping[str, str | None]) -> str:
    """Hint, question and options as LLaVA's script shows them; what the scorer takes for an option may say "none"."""
    hint = "" if is_none(cells.get("hint")) else f"{cells['hint']}\n"
    shown = itertools.takewhile(lambda pair: not is_none(pair[1]), lettered(choices_of(cells)))
    return hint + "\n".join([cells.get("question") or "", *(f"{letter}. {cell}" for letter, cell in shown)])


@dataclass(frozen=True)
class Mmbench(JudgedTask, UploadTask):
    """Circular evaluation; no options of its own."""

    name: ClassVar[str] = "mmbench"
    licence: ClassVar[str] = "Apache-2.0"
    citation: ClassVar[str] = "arXiv:2307.06281"
    protocols: ClassVar[Mapping[str, str]] = {
        "dev": "1,176 questions, 4,377 rows with rotations (20230712), scored here",
        "cn-dev": "4,329 rows in Chinese (20231003)",
        "test": "without public answers, for the server",
    }
    rows: ClassVar[Mapping[str, Sequence[int]]] = {"dev": (4377,), "cn-dev": (4329,)}
    annotated: ClassVar[Sequence[str]] = ("dev", "cn-dev", "test")
    uploads: ClassVar[Sequence[str]] = ("test", "dev", "cn-dev")
    hub: ClassVar[Mapping[str, str]] = {"dev": ENGLISH, "cn-dev": "lmms-lab-encoder/MMBench", "test": ENGLISH}
    max_new_tokens: ClassVar[int] = 1024
    lettered: ClassVar[bool] = True
    without_judge: ClassVar[Sequence[str]] = ("vanilla",)
    metrics: ClassVar[Sequence[Metric]] = [share("accuracy"), share("vanilla", "vanilla")]

    def samples(self) -> Iterator[Sample]:
        if self.data.kind == "hub":
            language, _, split = self.protocol.rpartition("-")  # only Chinese is a configuration of its own
            for number, row in (rows := read_hub(self.data, self.hub[self.protocol], split, language or None)):
                cells = as_cells({key.replace("L2", "l2"): value for key, value in row.items()})
                yield self._sample(cells, rows.image(number, str(whole_number(cells["index"]) % ROTATION)))
            return
        table = indexed_rows(self._table(), "question", "A")
        pictures = TablePictures(f"mmbench/{self.protocol}", {n: c.get("image") for n, c in table}, ROTATION)
        yield from (self._sample(cells, pictures.image(number)) for number, cells in table)

    def _table(self) -> Path:
        return self.data.annotations_or(*table_names(f"mmbench/mmbench_{n}" for n in TABLES[self.protocol]), hint=HINT)

    def _sample(self, cells: Mapping[str, str | None], image: Image) -> Sample:
        number = whole_number(cells["index"])
        return Sample(
            id=str(number),
            prompt="\n".join([asked(cells), LETTER_ANSWER_CN if self.protocol == "cn-dev" else LETTER_ANSWER]),
            target=() if is_none(cells.get("answer")) else (str(cells["answer"]),),
            choices=tuple(choices_of(cells)),
            images=(image,),
            question_id=number,
            category=cells.get("category") or "",
            group=str(number % ROTATION),
            tags=tuple(f"{kind}/{cells[column]}" for kind, column in PARTS.items() if cells.get(column)),
            question=cells["question"] or "",
        )

    def official_answers(self, path: Path, samples: Sequence[Sample]) -> Iterable[OfficialAnswer] | None:
        return table_answers(path, lambda cells: asked({"A": None, **cells})) if is_table(path) else None

    def upload_rows(self, samples: Sequence[Sample], texts: Mapping[str, str]) -> Iterable[JsonObject]:
        """The table without what the server does not want, the prediction being the seventh column, as in LLaVA's script."""
        for number, cells in indexed_rows(self._table()):
            kept = [(name, cell) for name, cell in cells.items() if name not in NOT_UPLOADED]
            yield dict([*kept[:6], ("prediction", texts[str(number)]), *kept[6:]])

    def lenient(self, sample: Sample, text: str) -> bool:
        return read_letter(text, sample.choices) == sample.target[0]

    def score(self, sample: Sample, response: Response) -> Score:
        return self._scored(sample, read_mmbench(response.text, options_of(sample)))

    def _scored(self, sample: Sample, reading: Reading) -> Score:
        return self.scored(sample, reading, reading.answer == sample.target[0], base=sample.id == sample.group)

    def grade(self, answers: Sequence[Answer], runs: int) -> Dialogue[Sequence[Score]]:
        return match_unread(answers, self._scored)

    def tally(self, scores: Sequence[Score]) -> Tally:
        return circular_tally(scores)

    def metrics_for(self, totals: Totals) -> Sequence[Metric]:
        return [*self.metrics, *shares_of_parts(totals, tuple(PARTS))]
