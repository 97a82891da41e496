"""Dialogues of plugins that never end, raise, or yield what is no query: in a plan, in a run, and scored again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Cli, Outcome, read_jsonl, write_jsonl
from tests.judge_server import JudgeServer, Say, Serve

PLUGIN = '''
"""A judged task."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from mipha_eval.core.reading import Reading
from mipha_eval.scoring.judging.dialogue import first_counted
from mipha_eval.scoring.judging.prompts import grade as official_grade
from mipha_eval.core.metrics import share
from mipha_eval.core.judged_task import JudgedTask
from mipha_eval.core.task import NOT_JUDGED
from mipha_eval.core.types import Query, Sample


@dataclass(frozen=True)
class Judged(JudgedTask):
    name: ClassVar[str] = "judged"
    protocols: ClassVar[dict] = {"v1": "three questions"}
    metrics: ClassVar[list] = [share("score")]

    def samples(self):
        for number in range(3):
            yield Sample(str(number), f"Question {number}?", ("yes",), (), number)

    def score(self, sample, response):
        return self.scored(sample, Reading(response.text, NOT_JUDGED), 0)

    def grade(self, answers, runs):
        answer = answers[0]
        prompt = f"About {answer.sample.prompt} {answer.text}"
        done = lambda value: [self.scored(answer.sample, Reading(answer.text, "judge-mine"), value)]
BODY
'''

BODIES = {
    "until satisfied": """
        for number in itertools.count():
            if (yield Query(prompt, 5, repeat=number)) == "fine":
                return done(1)
""",
    "catches everything": """
        for number in itertools.count():
            try:
                yield Query(prompt, 5, repeat=number)
            except Exception:
                continue
""",
    "raises at once": """
        raise ValueError("nobody told me")
        yield
""",
    "raises at a reply": """
        return done(float((yield Query(prompt, 5))))
""",
    "leaves": """
        yield Query(prompt, 5)
        sys.exit(0)
""",
    "yields a text": """
        yield prompt
""",
    "yields nothing": """
        yield None
""",
    "yields an odd query": """
        yield Query(prompt, "many")
""",
    "yields a prompt that is none": """
        yield Query(None, 5)
""",
    "yields an odd temperature": """
        yield Query(prompt, 5, float("nan"))
""",
    "is no dialogue": """
        return done(1)
""",
    "comes to nothing": """
        yield Query(prompt, 5)
""",
    "comes to others": """
        yield Query(prompt, 5)
        return [replace(done(1)[0], sample="another")]
""",
    "a rule that raises": """
        yield Query(prompt, 5, reads=lambda text, cut: float(text) > 0)
        return done(1)
""",
}

WORDS = {
    "until satisfied": "its dialogue came to no end within 100 queries",
    "catches everything": "its dialogue came to no end within 100 queries",
    "raises at once": "its dialogue raised ValueError('nobody told me') at plugin.py:37",
    "raises at a reply": "its dialogue raised ValueError(\"could not convert string to float: 'well'\") at plugin.py:37",
    "leaves": "its dialogue raised SystemExit(0) at plugin.py:38",
    "yields a text": "which is no query",
    "yields nothing": "its dialogue asked None, which is no query",
    "yields an odd query": "which is no query",
    "yields a prompt that is none": "which is no query",
    "yields an odd temperature": "which is no query",
    "is no dialogue": "its grade() gave a list, which is no dialogue",
    "comes to nothing": "its dialogue raised",
    "comes to others": "the score of another one",
    "a rule that raises": "its dialogue raised",
}


def write_plugin(folder: Path, body: str) -> Path:
    file = folder / "plugin.py"
    file.write_text(PLUGIN.lstrip().replace("BODY\n", body.lstrip("\n")))
    return file


def write_answers(folder: Path) -> Path:
    return write_jsonl(
        folder / "answers.jsonl", [{"question_id": number, "text": f"answer {number}"} for number in range(3)]
    )


def score(cli: Cli, folder: Path, server: JudgeServer, *flags: object) -> Outcome:
    where = ["--plugin", folder / "plugin.py", "--data", folder, "--answers", write_answers(folder), "--json"]
    return cli("score", "judged", *where, "--judge", "m", "--judge-base-url", server.url, *flags)


@pytest.mark.parametrize("kind", BODIES)
def test_a_broken_dialogue_is_a_counted_failure(kind: str, cli: Cli, serve: Serve, tmp_path: Path) -> None:
    """It ends, says why, and is held again next time; nothing else is lost."""
    write_plugin(tmp_path, BODIES[kind])
    server = serve(lambda prompt, before: Say("well"))
    outcome = score(cli, tmp_path, server)
    result = outcome.json
    assert (outcome.code, result["metrics"], "Traceback" in outcome.err) == (3, {}, False)
    assert (result["judge"]["failed"], result["judge"]["pending"]) == (3, 0)
    assert WORDS[kind] in outcome.err, outcome.err
    assert len(server.requests) <= 300
    asked = len(server.requests)
    assert score(cli, tmp_path, server).code == 3
    assert len(server.requests) == 2 * asked


def test_a_broken_dialogue_of_one_answer_leaves_the_others(cli: Cli, serve: Serve, tmp_path: Path) -> None:
    write_plugin(tmp_path, BODIES["raises at a reply"])
    server = serve(lambda prompt, before: Say("well" if "answer 1" in prompt and not before else "1"))
    outcome = score(cli, tmp_path, server)
    assert (outcome.code, outcome.json["metrics"], outcome.json["n"]) == (3, {"score[m]": 100}, 2)
    outcome = score(cli, tmp_path, server)
    assert (outcome.code, outcome.json["n"], len(server.requests)) == (0, 3, 4)


def test_a_run_with_a_broken_dialogue_keeps_its_answers(cli: Cli, serve: Serve, tmp_path: Path) -> None:
    file = write_plugin(tmp_path, BODIES["leaves"])
    run = ["run", "--tasks", "judged,pope", "--limit", 3, "--data", "demo", "--plugin", file, "--model", "constant"]
    server = serve(lambda prompt, before: Say("well"))
    outcome = cli(*run, "-o", tmp_path / "runs", "--json", "--judge", "m", "--judge-base-url", server.url)
    assert outcome.code == 3
    judged, pope = outcome.json["results"]
    assert (judged["judge"]["failed"], judged["metrics"], "f1" in pope["metrics"]) == (3, {}, True)
    (responses,) = (tmp_path / "runs").glob("*/judged@*/responses.jsonl")
    assert len(read_jsonl(responses)) == 3


def test_a_reply_that_is_none_does_not_reach_a_dialogue(cli: Cli, serve: Serve, tmp_path: Path) -> None:
    """Or one that takes everything but yes for wrong would score 0."""
    write_plugin(tmp_path, "        return done(float((yield Query(prompt, 5)) == 'yes'))\n")
    replies = [Say(None), Say("", finish="length"), Say("ye", finish="length"), Say("no", finish="content_filter")]
    server = serve(lambda prompt, before: replies[before])
    for _ in replies:
        outcome = score(cli, tmp_path, server)
        assert (outcome.code, outcome.json["metrics"], outcome.json["judge"]["failed"]) == (3, {}, 3)
    outcome = score(cli, tmp_path, serve(lambda prompt, before: Say("no")))
    assert (outcome.code, outcome.json["metrics"]) == (0, {"score[m]": 0})


def plan(cli: Cli, folder: Path, body: str, *flags: object) -> tuple[dict[str, Any], str]:
    file = write_plugin(folder, body)
    command = ["plan", "--tasks", "judged", "--data", folder, "--plugin", file, "--judge", "m", "--judge-price", "30,60"]
    told = cli(*command, *flags)
    assert told.code == 0, told.err
    return json.loads(cli(*command, *flags, "--json").out)[0]["judge"], told.out


def first_prompts() -> int:
    return sum(-(-len(f"About Question {number}? yes") // 4) for number in range(3))


@pytest.mark.parametrize("kind", ["until satisfied", "catches everything", "raises at a reply", "a rule that raises"])
def test_a_plan_says_what_it_cannot_know(kind: str, cli: Cli, tmp_path: Path) -> None:
    """The first query of each dialogue is asked in any case; what follows, only the replies tell."""
    planned, text = plan(cli, tmp_path, BODIES[kind])
    assert (planned["calls"], planned["at_least"], planned["most_calls"]) == (3, True, 300)
    assert (planned["prompt_tokens"], planned["most_tokens"], planned["most_usd"]) == (first_prompts(), None, None)
    assert planned["usd"] == pytest.approx(30 * first_prompts() / 1e6)
    assert "at least 3 calls" in text
    assert "300 calls at most, tokens and price unknown" in text


@pytest.mark.parametrize("kind", ["raises at once", "yields a text", "is no dialogue"])
def test_a_plan_tells_of_a_dialogue_that_asks_nothing(kind: str, cli: Cli, tmp_path: Path) -> None:
    planned, text = plan(cli, tmp_path, BODIES[kind])
    assert (planned["calls"], planned["at_least"]) == (0, True)
    assert planned["broken"] in text
    assert WORDS[kind] in planned["broken"]


def test_a_plan_of_a_dialogue_that_grades_without_end(cli: Cli, tmp_path: Path) -> None:
    """Although it says which replies are likely."""
    body = """
        while True:
            yield from official_grade(answer.sample.prompt, "yes", answer.text)
"""
    planned, text = plan(cli, tmp_path, body)
    assert (planned["calls"], planned["at_least"], planned["most_calls"]) == (3, True, 300)
    assert "came to no end within 100 queries" in text


def test_a_plan_of_a_dialogue_that_says_what_it_expects(cli: Cli, serve: Serve, tmp_path: Path) -> None:
    """Is exact, and at most what is asked when no reply counts."""
    body = """
        asked = [Query(prompt, 5, reads=lambda text, cut: text == "fine", likely="fine", repeat=place) for place in range(4)]
        yield from first_counted(asked)
        return done(1)
"""
    planned, text = plan(cli, tmp_path, body)
    assert (planned["calls"], planned["at_least"], planned["most_calls"]) == (3, False, 12)
    assert planned["most_usd"] == pytest.approx(4 * (30 * first_prompts() + 60 * 15) / 1e6)
    assert "3 calls, about" in text
    stubborn = serve(lambda prompt, before: Say("no"))
    assert score(cli, tmp_path, stubborn).code == 3
    assert len(stubborn.requests) == 12
    kind = serve(lambda prompt, before: Say("fine"))
    assert score(cli, tmp_path, kind).code == 0
    assert len(kind.requests) == 3
