"""What is found out about a checkpoint."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from mipha_eval.core.errors import RequestError, UserError
from mipha_eval.core.json_value import JsonObject
from mipha_eval.models.error_line import reason

#: the name of a section, and what reads it; may raise UserError or RequestError
Step = tuple[str, Callable[[], JsonObject]]


@dataclass(frozen=True)
class Inspection:
    """A checkpoint as far as it could be read.

    Attributes:
        path: as it was given.
        model: the name of the model that runs it, or would if it could.
        sections: facts by name: counts, sizes (``*_bytes``), texts, and objects of these.
        warnings: what a user may not expect, a line each.
        refusal: why it cannot run; None if it can.
    """

    path: str
    model: str
    sections: Mapping[str, JsonObject]
    warnings: Sequence[str]
    refusal: UserError | None

    def as_json(self) -> JsonObject:
        """All of it as one object."""
        runs: JsonObject = {"runs": self.refusal is None, "refused": str(self.refusal) if self.refusal else None}
        about: JsonObject = {"path": self.path, "model": self.model}
        return {**about, **runs, **self.sections, "warnings": list(self.warnings)}


def gathered(steps: Iterable[Step]) -> tuple[dict[str, JsonObject], UserError | None]:
    """The sections that can be read, without empty ones, and the first reason why one cannot."""
    sections: dict[str, JsonObject] = {}
    refusal = None
    for name, read in steps:
        try:
            found = read()
        except UserError as error:
            refusal = refusal or error
        except RequestError as error:
            refusal = refusal or UserError(f"it cannot be asked anything: {error}")
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:  # of odd settings
            refusal = refusal or UserError(f"its settings are not those of a model: {reason(error)}")
        else:
            sections |= {name: found} if found else {}
    return sections, refusal
