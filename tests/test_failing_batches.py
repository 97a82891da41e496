"""One bad request takes no other with it, and a model that can do nothing is not asked for hours."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mipha_eval.core.errors import PluginError, UserError
from mipha_eval.core.types import Image, Request, Response
from mipha_eval.engine.engine import Engine
from tests.conftest import Cli, Said, read_json, read_jsonl, write_jsonl
from tests.failing_adapter import Failing

PLUGIN = Path(__file__).with_name("failing_adapter.py")


def image(name: str) -> Image:
    return Image(name, f"/pictures/{name}", lambda: b"")


def asked(pictures: int, questions: int = 3) -> list[Request]:
    return [Request(f"q{number}?", (image(f"p{place}"),)) for place in range(pictures) for number in range(questions)]


def answer(adapter: Failing, requests: Sequence[Request], size: int | None = None) -> list[Response]:
    pairs = [pair for batch in Engine(adapter, size).run(requests) for pair in batch]
    assert sorted(place for place, _ in pairs) == list(range(len(requests))), "each is answered once"
    return [response for _, response in sorted(pairs, key=lambda pair: pair[0])]


@pytest.mark.parametrize("how", ["raise", "few", "many", "nothing", "no text", "memory", "cost", "prefetch"])
@pytest.mark.parametrize("size", [None, 1, 4])
def test_only_the_culprit_fails(how: str, size: int | None, said: Said) -> None:
    adapter = Failing("culprit", how=how)
    requests = [*asked(4), Request("the culprit?", (image("p1"),)), Request("without a picture?")]
    responses = answer(adapter, requests, size)
    failed = [request.text for request, response in zip(requests, responses, strict=True) if response.error]
    assert failed == ["the culprit?"]
    (error,) = filter(None, (response.error for response in responses))
    words = {
        "memory": "out of memory",
        "few": "0 of 1",
        "many": "2 of 1",
        "nothing": "None",
        "no text": "text is no text but None",
    }
    assert words.get(how, "LookupError: no answer to ['the culprit?'] (failing_adapter.py:") in error
    lines = said()
    assert lines.count("asked again in parts") <= 1
    assert "Traceback" not in lines


@given(st.integers(1, 30), st.integers(1, 4), st.data())
@settings(max_examples=60, deadline=None)
def test_a_culprit_costs_few_calls(pictures: int, questions: int, data: st.DataObject) -> None:
    """Halves, not single requests: what can be shared is shared, and the calls grow with the logarithm."""
    adapter = Failing("culprit")
    requests = asked(pictures, questions)
    place = data.draw(st.integers(0, len(requests)))
    requests.insert(place, Request("culprit", (image(f"p{place % pictures}"),)))
    responses = answer(adapter, requests)
    assert [bool(response.error) for response in responses] == [request.text == "culprit" for request in requests]
    assert len(adapter.batches) <= 1 + 2 * (1 + math.ceil(math.log2(pictures)) + math.ceil(math.log2(questions + 1)))


def test_a_broken_picture_fails_its_own_questions() -> None:
    requests = asked(6, 12)
    responses = answer(Failing("p0"), requests)  # the first that is asked about, when nothing has been answered yet
    assert [bool(response.error) for response in responses] == ["p0" in request.images[0].name for request in requests]


def test_a_model_that_only_fails_is_given_up(said: Said) -> None:
    """Its own error, as a bug has to be seen; long before every question was asked alone."""
    adapter = Failing("?")
    with pytest.raises(LookupError, match="no answer"):
        answer(adapter, asked(500))
    assert "failed here on each of its first questions" in said()
    assert len(adapter.batches) < 60


@pytest.mark.parametrize("how", ["few", "many", "nothing"])
def test_an_adapter_without_responses_is_a_bug(how: str) -> None:
    with pytest.raises(PluginError, match=r"answered|no list of responses|gave as response None"):
        answer(Failing("?", how=how), asked(1, 1))


def test_a_single_question_that_fails_is_a_failed_question() -> None:
    (response,) = answer(Failing("?"), asked(1, 1))
    assert "LookupError" in response.error


def test_what_a_user_does_or_can_mend_stops_the_run() -> None:
    class Broken(Failing):
        def generate(self, batch: Sequence[Request]) -> list[Response]:
            raise UserError("the device is gone")

    with pytest.raises(UserError, match="gone"):
        answer(Broken(), asked(2))
    with pytest.raises(KeyboardInterrupt):
        answer(Failing("?", how="interrupt"), asked(2))


def test_on_the_command_line(cli: Cli, tmp_path: Path) -> None:
    """The others are answered and stored, the failed one has its reason, and is asked again next time."""
    questions = write_jsonl(tmp_path / "q.jsonl", [{"question_id": n, "text": f"question {n}?"} for n in range(12)])
    arguments = ["predict", "--questions", questions, "--image-folder", tmp_path, "--answers", tmp_path / "a.jsonl"]
    outcome = cli(*arguments, "--plugin", PLUGIN, "--model", "failing", "-a", "culprit=question 7")
    assert outcome.code == 3
    rows = read_jsonl(tmp_path / "a.jsonl")
    assert [row["text"] for row in rows] == [None if n == 7 else "Yes" for n in range(12)]
    assert rows[7]["error"].startswith("the model failed: LookupError")

    run = ["run", "--tasks", "pope", "--data", "demo", "-o", tmp_path / "runs", "--json", "--limit", 30]
    outcome = cli(*run, "--plugin", PLUGIN, "--model", "failing", "-a", "culprit=a star", "-a", "alone_too=true")
    assert outcome.code in (0, 3)
    (found,) = outcome.json["results"]
    (path,) = (tmp_path / "runs").glob("*/equivalence.json")
    assert found["failed"] < 30
    assert {row["error"] for row in read_json(path)["samples"]} == {"the model failed: ArithmeticError('not alone')"}
