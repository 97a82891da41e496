"""lmms-eval as a library: found, imported once, and kept quiet."""

from __future__ import annotations

import contextlib
import functools
import importlib
import importlib.util
import io
import logging
import os
from collections.abc import Iterator
from importlib.metadata import version
from types import ModuleType

from mipha_eval.core.errors import UserError
from mipha_eval.core.library_messages import take_off_terminal

logger = logging.getLogger(__name__)

PACKAGE = "lmms_eval"
SUITE = "lmms-eval"
#: what installs lmms-eval
INSTALL = "pip install 'mipha-eval[lmms]'"


def lmms_version() -> str:
    """The installed lmms-eval. Raises UserError where there is none."""
    if importlib.util.find_spec(PACKAGE) is None:
        raise UserError(f"lmms: tasks are lmms-eval's, which is not installed; {INSTALL}")
    return version(PACKAGE)


@functools.cache
def lmms_module(name: str) -> ModuleType:
    """A module of lmms-eval, such as ``tasks``; the first import takes seconds.

    Raises:
        UserError: it is not installed, or what it needs is not, or is too new for it.
    """
    lmms_version()
    os.environ.setdefault("TQDM_DISABLE", "1")  # its bars are about steps that nobody waits for
    try:
        _be_quiet()
        with said_quietly(errors=True):
            module = importlib.import_module(f"{PACKAGE}.{name}")
        take_off_terminal("datasets", "huggingface_hub")
    except UserError:
        raise
    except Exception as error:  # of whatever it imports
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(f"lmms-eval cannot be imported ({reason}); {INSTALL}") from error
    return module


@contextlib.contextmanager
def said_quietly(*, errors: bool = False) -> Iterator[None]:
    """What lmms-eval's code prints meanwhile is said through logging, at debug level.

    Args:
        errors: also what goes to standard error, such as bars; not while others write there.
    """
    printed = io.StringIO()
    beside = contextlib.redirect_stderr(printed) if errors else contextlib.nullcontext()
    try:
        with contextlib.redirect_stdout(printed), beside:
            yield
    finally:
        for line in printed.getvalue().splitlines():
            if line.strip():
                logger.debug("%s", line.strip())


@functools.cache
def _be_quiet() -> None:
    """Its log goes where other libraries' messages go: to whoever sets logging up."""
    loguru = importlib.import_module("loguru")
    loguru.logger.remove()
    loguru.logger.add(_said, format="{level}|{message}", level="INFO")


def _said(message: object) -> None:
    level, _, text = str(message).strip().partition("|")
    logger.log(logging.WARNING if level in ("ERROR", "CRITICAL") else logging.DEBUG, "lmms-eval: %s", text)
