"""How a question is put to a model, where that is otherwise than its benchmark puts it: words around it, and decoding."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from mipha_eval.core.errors import UserError
from mipha_eval.core.format_lines import LETTER_ANSWER, SHORT_ANSWER
from mipha_eval.core.options import option_fields, typed_options
from mipha_eval.core.prompt_pattern import Pattern
from mipha_eval.core.question_parts import QuestionParts
from mipha_eval.core.types import Decoding, Request, Sample

Format = Literal["short", "letter", "none"]

#: the format line of each name
LINES: Mapping[Format, str] = {"short": SHORT_ANSWER, "letter": LETTER_ANSWER, "none": ""}


@dataclass(frozen=True)
class Asking:
    """What a question's words and its decoding are changed to; a field that is None leaves them as the benchmark has them.

    Attributes:
        prompt: all of the text, see `Pattern`; the benchmark's format line is in it where the pattern says ``{format}``.
        format: the format line in place of the benchmark's own; it stands behind a prompt that has no place for it.
        template: what stands around the text, see `Request`; of one benchmark, beside the model's own option of that name.
        image: as the model's processor takes it, not padded to a square.
        max_new_tokens, min_new_tokens, num_beams, length_penalty, repetition_penalty: as in `Decoding`.

    Raises:
        UserError: a value that cannot be.
    """

    prompt: str | None = None
    format: Format | None = None
    template: str | None = None
    image: Literal["processor"] | None = None
    max_new_tokens: int | None = None
    min_new_tokens: int | None = None
    num_beams: int | None = None
    length_penalty: float | None = None
    repetition_penalty: float | None = None

    def __post_init__(self) -> None:
        if self.prompt is not None:
            Pattern(self.prompt).check()
        least = {"max_new_tokens": 1, "min_new_tokens": 0, "num_beams": 1}
        for name, bound in least.items():
            value = getattr(self, name)
            if value is not None and value < bound:
                raise UserError(f"option {name}={value}: it must be {bound} at least")
        if self.repetition_penalty is not None and not 0 < self.repetition_penalty < float("inf"):
            raise UserError(f"option repetition_penalty={self.repetition_penalty}: it must be above 0")
        if self.length_penalty is not None and self.length_penalty * 0 != 0:
            raise UserError(f"option length_penalty={self.length_penalty}: it must be a finite number")
        if self.max_new_tokens and self.min_new_tokens and self.min_new_tokens > self.max_new_tokens:
            raise UserError(f"min_new_tokens={self.min_new_tokens} is more than max_new_tokens={self.max_new_tokens}")

    def check(self, sample: Sample) -> None:
        """Raises UserError for a prompt that leaves out a benchmark's question."""
        if self.prompt is None or not QuestionParts.of(sample.prompt, sample.choices, sample.question).stem:
            return
        if not Pattern(self.prompt).names & {"question", "stem"}:
            raise UserError(f"option prompt={self.prompt!r} has no {{question}}, so that every question would be the same")

    @property
    def given(self) -> Mapping[str, object]:
        """The fields that change something, by name."""
        return self._given

    @property
    def _given(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if value is not None}

    def updated(self, other: Asking) -> Asking:
        """The same, but where the other says something."""
        return dataclasses.replace(self, **other._given)

    def __call__(self, request: Request, sample: Sample | None = None) -> Request:
        """A request so put. Options that are ranked are not generated, so that decoding changes nothing of them.

        Args:
            sample: the question that it is about, where it is a benchmark's.
        """
        if not self._given:  # nearly always, and for every question of a benchmark
            return request
        request = dataclasses.replace(request, text=self.worded(request.text, sample), template=self.template or "")
        if self.image:
            images = tuple(dataclasses.replace(image, padded=False) for image in request.images)
            request = dataclasses.replace(request, images=images)
        manner = {name: value for name, value in self._given.items() if name in DECODING}
        if request.options or not manner:
            return request
        return dataclasses.replace(request, decoding=dataclasses.replace(request.decoding, **manner))

    def worded(self, text: str, sample: Sample | None = None) -> str:
        """A benchmark's text in other words."""
        if self.prompt is None and self.format is None:
            return text
        parts = QuestionParts.of(text, sample.choices if sample else (), sample.question if sample else "")
        if self.format is not None:
            parts = dataclasses.replace(parts, format=LINES[self.format])
        pattern = Pattern("{question}" if self.prompt is None else self.prompt)
        behind = parts.format if "format" not in pattern.names and (self.prompt is None or self.format) else ""
        return "\n".join(filter(None, [pattern.filled(parts), behind]))


#: names of `Asking` that are fields of a request's decoding
DECODING = frozenset(option_fields(Asking)) & {entry.name for entry in dataclasses.fields(Decoding)}
#: names that options of any model may have
ASKING = frozenset(option_fields(Asking))
#: what becomes of a question as it is
AS_IT_IS = Asking()


@dataclass(frozen=True)
class Askings:
    """How all benchmarks of a run are asked, and some of them otherwise.

    Attributes:
        every: of any benchmark.
        of: by a benchmark's name, beside `every`.
    """

    every: Asking = AS_IT_IS
    of: Mapping[str, Asking] = field(default_factory=dict)

    def of_task(self, name: str) -> Asking:
        """How a benchmark is asked."""
        return self.every.updated(self.of.get(name, AS_IT_IS))

    def updated(self, other: Askings) -> Askings:
        """The same, but where the other says something."""
        of = {name: self.of.get(name, AS_IT_IS).updated(other.every).updated(each) for name, each in other.of.items()}
        kept = {name: each.updated(other.every) for name, each in self.of.items() if name not in of}
        return Askings(self.every.updated(other.every), {**kept, **of})

    @property
    def given(self) -> dict[str, object]:
        """All that is said, as options are called: those of one benchmark with its name and a dot before."""
        own = {f"{name}.{key}": value for name, each in self.of.items() for key, value in each.given.items()}
        return {**self.every.given, **own}


def read_askings(options: Mapping[str, str], name: str) -> Askings:
    """Askings of ``key=value`` texts; ``TASK.key`` is of one benchmark. Raises UserError for a value that does not fit.

    Args:
        name: whose options they are, for messages.
    """
    parts: dict[str, dict[str, str]] = {}
    for key, text in options.items():
        task, _, plain = key.rpartition(".")
        parts.setdefault(task, {})[plain] = text
    values: dict[str, dict[str, Any]] = {task: typed_options(Asking, own, name) for task, own in parts.items()}
    made = {task: Asking(**own) for task, own in values.items()}
    return Askings(made.pop("", AS_IT_IS), made)
