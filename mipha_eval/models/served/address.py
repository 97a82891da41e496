"""Where a server is and what opens it: its address and its key, as users give them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from urllib.parse import urlsplit

from mipha_eval.core.errors import UserError


def check_url(text: str, whose: str, key: str, flag: str) -> None:
    """Raises UserError for what is no address of a server, or one that may hold a secret.

    Args:
        whose: whose address, for the message: ``judge``.
        key: the environment variable that a key belongs into.
    """
    try:
        url = urlsplit(text)
        fine = url.scheme in ("http", "https") and bool(url.hostname)
        _ = url.port
    except ValueError:
        fine = False
    if not fine:
        raise UserError(f"a {whose}'s address: expected http://HOST:PORT/v1 or the like", flag=flag)
    if url.username or url.password or url.query or url.fragment:
        raise UserError(f"a {whose}'s address must not hold a key or a query; put the key into {key}", flag=flag)


def key_from(names: Sequence[str]) -> str:
    """The key that the first of these environment variables with one holds, without space around it; "" for none.

    Raises:
        UserError: no HTTP header can hold it.
    """
    name, found = next(((name, key) for name in names if (key := os.environ.get(name, "").strip())), ("", ""))
    if not (found.isascii() and found.isprintable()):
        raise UserError(f"{name} holds something else than a key: characters that no server is sent; set it anew")
    return found
