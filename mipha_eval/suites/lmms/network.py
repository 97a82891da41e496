"""Tasks whose scoring asks somebody over the network: known by their code, stopped if nobody was allowed to be asked."""

from __future__ import annotations

import contextlib
import functools
import os
import socket
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping
from types import CodeType, FunctionType, MethodType

from mipha_eval.core.errors import UserError

#: names and texts in code that asks a judge
MARKS = frozenset(
    {
        "AsyncOpenAI",
        "AzureOpenAI",
        "ChatCompletion",
        "OpenAI",
        "aiohttp",
        "call_judge_with_retry",
        "completions",
        "get_server",
        "httpx",
        "openai",
    }
)
#: modules whose objects ask
ASKING = ("lmms_eval.llm_judge", "lmms_eval.api.judge", "openai")
#: variables of the environment by which lmms-eval's tasks are told of a judge
KEYS = ("OPENAI_API_KEY", "AZURE_API_KEY", "AZURE_OPENAI_API_KEY")
SETTINGS = (*KEYS, "OPENAI_API_URL", "API_TYPE", "MODEL_VERSION")


OPENAI = "https://api.openai.com/v1"
#: what stands for a key where a server needs none
NO_KEY = "none"
#: code that sends a query itself, to an address that ends so
POSTED, COMPLETIONS = "requests.post", "chat/completions"


class AskedError(BaseException):
    """Code that was to score alone asked somebody; no ``except Exception`` of it may take this for a wrong answer."""


def judge_asked_by(functions: Iterable[object]) -> str:
    """What in these functions' code, or in what they call, asks a judge; "" if nothing does."""
    waiting = [found for each in functions if (found := _function(each))]
    seen: set[CodeType] = set()
    while waiting:
        function = waiting.pop()
        if function.__code__ in seen:
            continue
        seen.add(function.__code__)
        named = set(_words(function.__code__))
        if {"requests", "post"} <= named:
            return POSTED
        if marks := sorted(named & MARKS):
            return marks[0]
        for name in sorted(named & function.__globals__.keys()):
            value = function.__globals__[name]
            if type(value).__module__.startswith(ASKING):
                return name
            called = _function(value)
            if called and called.__module__.split(".")[:2] == function.__module__.split(".")[:2]:
                waiting.append(called)
    return ""


def _function(value: object) -> FunctionType | None:
    while isinstance(value, functools.partial):
        value = value.func
    if isinstance(value, MethodType):
        value = value.__func__
    return value if isinstance(value, FunctionType) else None


def _words(code: CodeType) -> Iterator[str]:
    """Names that code looks up, and texts in it, those of functions within it, too."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, str):
            yield constant
        elif isinstance(constant, CodeType):
            yield from _words(constant)


def judge_settings(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """What the user says of a judge in the way lmms-eval reads it, keys hidden; empty where no key is given."""
    if not any(environment.get(name) for name in KEYS):
        return {}
    return {name: "..." if name in KEYS else environment[name] for name in SETTINGS if environment.get(name)}


@contextlib.contextmanager
def judge_told(model: str, base_url: str | None, key: str) -> Iterator[None]:
    """While entered, the environment says what lmms-eval's code reads of a judge; a server without a key is sent a word."""
    address = base_url or OPENAI
    told = {
        "OPENAI_API_KEY": key or NO_KEY,
        "OPENAI_API_URL": address,
        "OPENAI_BASE_URL": address,
        "MODEL_VERSION": model,
        "JUDGE_MODEL_VERSION": model,
        "API_TYPE": "openai",
    }
    before = {name: os.environ.get(name) for name in told}
    os.environ.update(told)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def check_judge(name: str, found: str) -> None:
    """Raises UserError for a task that asks a judge of which nobody said anything."""
    address = os.environ.get("OPENAI_API_URL", "")
    if found == POSTED and address and not address.rstrip("/").endswith(COMPLETIONS):
        raise UserError(
            f"{name} asks a judge when it is scored, at OPENAI_API_URL as it stands; set the variables that lmms-eval reads "
            f"yourself, OPENAI_API_URL with all of the address (http://HOST:PORT/v1/{COMPLETIONS}), and name no judge here"
        )
    if found and not judge_settings():
        raise UserError(
            f"{name} asks a judge over the network when it is scored ({found} in its code); say which, here or as lmms-eval "
            "reads it: OPENAI_API_KEY, OPENAI_API_URL, MODEL_VERSION in the environment",
            flag="--judge",
        )


_alone = threading.local()


@contextlib.contextmanager
def asking_nobody(name: str) -> Iterator[None]:
    """Within this thread no connection to another machine is made, unless the user says which judge may be asked.

    Raises:
        UserError: one was to be made.
    """
    if judge_settings():
        yield
        return
    _watch()
    _alone.active = True
    try:
        yield
    except AskedError as error:
        check_judge(name, str(error))
    finally:
        _alone.active = False


@functools.cache
def _watch() -> None:
    """Once: such a hook cannot be taken away again."""
    sys.addaudithook(_refuse)


def _refuse(event: str, arguments: tuple[object, ...]) -> None:
    if event == "socket.connect" and getattr(_alone, "active", False):
        connection, address = arguments
        if isinstance(connection, socket.socket) and connection.family in (socket.AF_INET, socket.AF_INET6):
            raise AskedError(f"a connection to {address}")
