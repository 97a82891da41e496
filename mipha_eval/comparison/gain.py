"""How far a model is above itself under a control: what its score owes to what the control took away."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from mipha_eval.comparison.comparability import why_not
from mipha_eval.comparison.defaults import ALPHA
from mipha_eval.comparison.matched import Matched
from mipha_eval.core.controls import Control, gain_name
from mipha_eval.core.errors import UserError
from mipha_eval.core.json_value import Json
from mipha_eval.judge.stored_task import StoredTask
from mipha_eval.scoring.gaps import UNPARSED_MOST, unparsed_share
from mipha_eval.store.manifest import Manifest
from mipha_eval.store.run_folder import RunFolder


@dataclass(frozen=True)
class Gain:
    """The model's value less the control's, on the questions that both scored.

    Attributes:
        values: of the model and of the control.
        interval: at confidence 1 - alpha, paired and clustered by picture; None where nothing honest can be said, for the
            reason in `why_not`.
        questions: that both scored.
        clusters: pictures, and questions without one, that the metric is about.
        unread: of whose answers more than half are unparsed, in words; such a gain says little.
    """

    task: str
    metric: str
    control: Control
    values: tuple[float, float]
    interval: tuple[float, float] | None
    why_not: str
    questions: int
    clusters: int
    alpha: float = ALPHA
    unread: tuple[str, ...] = ()

    @property
    def value(self) -> float:
        return self.values[0] - self.values[1]

    @property
    def name(self) -> str:
        return gain_name(self.control)

    def text(self, decimals: int = 2) -> str:
        """The gain with its interval, as ``visual gain over blind 48.15 (44.02 to 52.27)``."""
        ends = [f"{end:.{decimals}f}" for end in self.interval or ()]
        told = " to ".join(ends) or f"no interval: {self.why_not}"
        return ", ".join([f"{self.name} over {self.control} {self.value:.{decimals}f} ({told})", *self.unread])

    @property
    def record(self) -> dict[str, Json]:
        """For JSON."""
        return {
            "task": self.task,
            "metric": self.metric,
            "name": self.name,
            "control": self.control,
            "values": list(self.values),
            "gain": self.value,
            "interval": list(self.interval) if self.interval else None,
            "why_no_interval": self.why_not,
            "questions": self.questions,
            "images": self.clusters,
            "alpha": self.alpha,
            "unread": list(self.unread),
        }


def is_control_of(control: Manifest, model: Manifest) -> bool:
    """Whether a run is another one's model under a control."""
    return control.asked_under is not None and model.asked_under is None and control.is_of_same_model(model)


def gain(model: StoredTask, control: StoredTask, metric: str | None = None, alpha: float = ALPHA) -> Gain:
    """The gain in a metric, by default the headline.

    Raises:
        UserError: `control` is not `model` under a control, or the two cannot be compared.
    """
    from mipha_eval.stats.paired_interval import paired_interval

    name = metric or model.summary.headline
    manifest = RunFolder(control.run).manifest()
    if manifest.asked_under is None or not is_control_of(manifest, RunFolder(model.run).manifest()):
        raise UserError(f"{control.run} is not the model of {model.run} under a control")
    reason = why_not(model, control)
    if reason:
        raise UserError(f"{model.label}: {reason}")
    matched = Matched.of([control, model])
    panel = matched.panel(name)
    below, above = (float(value) for value in panel.values())
    interval = paired_interval(panel, 1 - alpha)
    return Gain(
        task=model.label,
        metric=name,
        control=manifest.asked_under,
        values=(above, below),
        interval=interval.bounds,
        why_not=interval.why_not,
        questions=matched.questions,
        clusters=int(panel.counts.any(axis=(0, 2)).sum()),
        alpha=alpha,
        unread=tuple(_unread({"the model's": model, "the control's": control})),
    )


def _unread(tasks: Mapping[str, StoredTask]) -> Iterator[str]:
    shares = {whose: unparsed_share(stored.summary) for whose, stored in tasks.items()}
    return (
        f"{100 * share:.0f}% of {whose} answers are unparsed" for whose, share in shares.items() if share > UNPARSED_MOST
    )


def gain_of_two(tasks: Sequence[StoredTask], manifests: Mapping[str, Manifest], alpha: float) -> Gain | None:
    """The gain of two compared results, whichever is the control; None if neither is the other's.

    Args:
        manifests: of the runs, by their folders.
    """
    first, second = tasks
    for model, control in ((first, second), (second, first)):
        if is_control_of(manifests[str(control.run)], manifests[str(model.run)]):
            return gain(model, control, alpha=alpha)
    return None
