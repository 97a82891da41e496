"""The end of all asking."""

from __future__ import annotations


class StoppedError(Exception):
    """A server will answer nothing further (wrong key, no such model, no money, a limit); says so in one line."""
