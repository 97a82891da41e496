"""Judges that something is known about."""

from __future__ import annotations

from mipha_eval.judge.calibrations import stored_calibrations
from mipha_eval.models.served.price import listed_prices
from mipha_eval.reporting.summary import calibration_text


def judge_listing() -> dict[str, str]:
    """Judge -> its listed price, and how far it is from a trusted one where that is known; any other name works, too."""
    listing = {
        model: f"{price.prompt:g}, {price.reply:g} USD for a million tokens" for model, price in listed_prices().items()
    }
    for name, found in stored_calibrations().items():
        listing[name] = "; ".join(filter(None, [listing.get(name, ""), calibration_text(found)]))
    return listing
