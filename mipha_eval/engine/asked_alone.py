"""Answers by the independent path of a model, of which some may fail."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mipha_eval.core.errors import DeviceMemoryError, UserError
from mipha_eval.core.types import Request, Response


def asked_alone(reference: Callable[[Sequence[Request]], list[Response]], requests: Sequence[Request]) -> list[Response]:
    """What `reference` answers; where it fails, each request is asked for itself, and one that cannot be is a failure."""
    try:
        return reference(requests)
    except UserError:
        raise
    except (DeviceMemoryError, MemoryError) as error:
        failure = Response.failure(f"out of memory: {error}")
    except Exception as error:  # an adapter is anybody's code
        failure = Response.failure(f"the model failed: {error!r}")
    return [failure] if len(requests) == 1 else [made for each in requests for made in asked_alone(reference, [each])]
