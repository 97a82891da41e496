"""Controls: a model is asked again without what it ought to need, and what it loses says what it used."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

from mipha_eval.core.errors import UserError
from mipha_eval.core.options import unknown

Control = Literal["blind", "mean-image", "shuffled-image", "no-question"]
CONTROLS: tuple[Control, ...] = get_args(Control)
#: the control that changes the text and leaves the pictures
NO_QUESTION: Control = "no-question"
#: what a model is shown or asked under each
SHOWN: Mapping[str, str] = {
    "blind": "a grey picture",
    "mean-image": "the mean of the benchmark's pictures",
    "shuffled-image": "another question's picture",
    "no-question": "the picture and the format line alone",
}


def chosen_control(name: str | None, *, blind: bool = False) -> Control | None:
    """The control that was asked for, by name or as ``--blind``; None for none. Raises UserError for an unknown name."""
    if blind and name not in (None, "blind"):
        raise UserError(f"grey pictures are the control blind; it and {name} are two runs", flag="--control")
    asked = "blind" if blind else name
    found = next((control for control in CONTROLS if control == asked), None)
    if asked is not None and found is None:
        raise UserError(unknown("control", asked, CONTROLS), flag="--control")
    return found


def gain_name(control: str) -> str:
    """What it is called that a score is above the control's."""
    return "question gain" if control == NO_QUESTION else "visual gain"
