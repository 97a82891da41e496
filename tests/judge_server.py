"""A real HTTP server on the loopback that speaks OpenAI's chat completions, by a script."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Say:
    """One reply of the server.

    Attributes:
        text: the judge's words.
        status: of HTTP; not 200 makes `text` an error's message.
        body: sent as it is, in place of a completion.
        wait: seconds before the reply.
        cut: whether the connection drops in the middle of the body.
        finish: the ``finish_reason``; None leaves it out.
        message: what else stands in the message.
        tokens: how many the reply is said to have.
        model: the name that the server gives itself, in place of one made from what was asked for.
        drip: seconds between the bytes of the body.
        usage: what is said in place of the usual counts.
        choice: what else stands in the choice, such as ``logprobs``.
        fingerprint: the ``system_fingerprint``; None leaves it out.
    """

    text: str | None = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    wait: float = 0.0
    cut: bool = False
    code: str | None = None
    param: str | None = None
    finish: str | None = "stop"
    message: Mapping[str, Any] = field(default_factory=dict)
    tokens: int = 3
    model: str | None = None
    drip: float = 0.0
    usage: Any = None
    choice: Mapping[str, Any] = field(default_factory=dict)
    fingerprint: str | None = None


#: starts a server that a script answers for
Serve = Callable[["Script"], "JudgeServer"]

#: (prompt, how often this prompt was asked before) -> what is replied
Script = Callable[[str, int], Say]


def prompt_of(request: Mapping[str, Any]) -> str:
    """The text of a request's last message, which may have pictures before it."""
    content = request["messages"][-1]["content"]
    return str(content if isinstance(content, str) else content[-1]["text"])


class JudgeServer(ThreadingHTTPServer):
    """Keeps every request, and how many were under way at once."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, script: Script) -> None:
        super().__init__(("127.0.0.1", 0), Conversation)
        self.script = script
        self.lock = threading.Lock()
        self.requests: list[dict[str, Any]] = []
        self.asked: Counter[str] = Counter()
        self.under_way = self.most_under_way = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    @property
    def prompts(self) -> list[str]:
        return [prompt_of(request) for request in self.requests]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that has gone is no error here."""


class Conversation(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or a reply waits for the receipt of its own headers
    server: JudgeServer

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name that it has
        """Nothing is written to the terminal."""

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        prompt = prompt_of(request)
        with self.server.lock:
            self.server.under_way += 1
            self.server.most_under_way = max(self.server.most_under_way, self.server.under_way)
            before = self.server.asked[prompt]
            self.server.asked[prompt] += 1
            self.server.requests.append({**request, "authorization": self.headers.get("Authorization"), "path": self.path})
        say = self.server.script(prompt, before)
        time.sleep(say.wait)
        with self.server.lock:
            self.server.under_way -= 1
        self.reply(say, request["model"])

    def reply(self, say: Say, model: str) -> None:
        error = {"message": say.text, "type": "error", "code": say.code, "param": say.param}
        message = {"role": "assistant", "content": say.text, **say.message}
        choice = {"index": 0, "message": message, **({"finish_reason": say.finish} if say.finish else {}), **say.choice}
        usage = {"prompt_tokens": 700, "completion_tokens": say.tokens, "total_tokens": 700 + say.tokens}
        completion = {
            "id": "c",
            "object": "chat.completion",
            "created": 0,
            "model": f"{model}-served" if say.model is None else say.model,
            "choices": [choice],
            "usage": usage if say.usage is None else say.usage,
            **({} if say.fingerprint is None else {"system_fingerprint": say.fingerprint}),
        }
        body = (
            say.body if say.body is not None else json.dumps(completion if say.status == 200 else {"error": error}).encode()
        )
        self.send_response(say.status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(body)), **say.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if say.drip:
            self.let_drip(body, say.drip)
        else:
            self.wfile.write(body[: len(body) // 2] if say.cut else body)
        self.close_connection = self.close_connection or say.cut

    def let_drip(self, body: bytes, seconds: float) -> None:
        """Sends a body byte by byte until nobody listens any more."""
        for place in range(len(body)):
            try:
                self.wfile.write(body[place : place + 1])
                self.wfile.flush()
            except OSError:
                break
            time.sleep(seconds)


@contextmanager
def judge_server(script: Script) -> Iterator[JudgeServer]:
    """A server while entered."""
    with JudgeServer(script) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()
