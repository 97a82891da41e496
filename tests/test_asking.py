"""How benchmarks are asked: words around a question, decoding, and where results and tables say so."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mipha_eval import evaluate
from mipha_eval.core.asking import Asking, read_askings
from mipha_eval.core.errors import UserError
from mipha_eval.core.format_lines import CAPTION, LETTER_ANSWER, SHORT_ANSWER
from mipha_eval.core.types import Decoding, Request
from tests.conftest import Cli

TASK = "Is there a red {dog}?"


@pytest.mark.parametrize(
    ("asking", "text", "wanted"),
    [
        (Asking(), f"{TASK}\n{SHORT_ANSWER}", f"{TASK}\n{SHORT_ANSWER}"),
        (Asking(format="none"), f"{TASK}\n{SHORT_ANSWER}", TASK),
        (Asking(format="letter"), f"{TASK}\n{SHORT_ANSWER}", f"{TASK}\n{LETTER_ANSWER}"),
        (Asking(format="short"), TASK, f"{TASK}\n{SHORT_ANSWER}"),
        (Asking(format="short"), f"{SHORT_ANSWER}\n{TASK}", f"{TASK}\n{SHORT_ANSWER}"),
        (
            Asking(prompt="Question: {question} Answer:"),
            f"{TASK}\n{SHORT_ANSWER}",
            f"Question: {TASK} Answer:",
        ),
        (Asking(prompt="Q: {question} A:", format="short"), TASK, f"Q: {TASK} A:\n{SHORT_ANSWER}"),
        (Asking(prompt="Q: {question} A:", format="none"), f"{TASK}\n{SHORT_ANSWER}", f"Q: {TASK} A:"),
        (Asking(prompt="{format} {question}"), f"{TASK}\n{SHORT_ANSWER}", f"{SHORT_ANSWER} {TASK}"),
        (Asking(prompt="{{ stem|upper }} {{ '{q}' }}"), f"{TASK}\n{SHORT_ANSWER}", f"{TASK.upper()} {{q}}"),
        (Asking(prompt="A short image caption."), CAPTION, "A short image caption."),
        (Asking(format="none"), f"What?\nA. one\nB. two\n{LETTER_ANSWER}", "What?\nA. one\nB. two"),
    ],
)
def test_words_around_a_question(asking: Asking, text: str, wanted: str) -> None:
    assert asking(Request(text)).text == wanted


def test_decoding_is_a_request_s_and_options_that_are_ranked_keep_theirs() -> None:
    asking = Asking(num_beams=5, length_penalty=-1.0, max_new_tokens=10)
    assert asking(Request("a")).decoding == Decoding(10, num_beams=5, length_penalty=-1.0)
    assert asking(Request("a", options=("b",))).decoding == Decoding()
    keys = {asking(Request("a")).key, Request("a").key, Asking(num_beams=4)(Request("a")).key}
    assert len(keys) == 3


def test_one_benchmark_is_asked_otherwise_than_the_others() -> None:
    askings = read_askings({"num_beams": "3", "pope.num_beams": "2", "coco_cap.prompt": "a {question}"}, "a model")
    assert askings.of_task("pope") == Asking(num_beams=2)
    assert askings.of_task("coco_cap") == Asking(num_beams=3, prompt="a {question}")
    assert askings.of_task("mme") == Asking(num_beams=3)


@pytest.mark.parametrize(
    "option",
    [
        *("prompt=x", "prompt={q}", "prompt={{ question", "prompt={{ query }}", "prompt={{ question.nobody() }}"),
        *("num_beams=0", "num_beams=two", "max_new_tokens=0", "repetition_penalty=0", "length_penalty=nan"),
        *("format=long", "nmu_beams=2", "mmvet.prompt={question}", "image=round"),
    ],
)
def test_what_cannot_be_asked_is_one_line(option: str, cli: Cli, tmp_path: Path) -> None:
    found = cli("run", "--tasks", "pope", "-L", "4", "-o", str(tmp_path), "-a", option)
    assert found.code == 2
    assert len(found.err.strip().splitlines()) == 1


@pytest.mark.parametrize("model", ["constant", "majority", "random"])
def test_what_asks_nothing_cannot_be_asked_otherwise(model: str, cli: Cli, tmp_path: Path) -> None:
    found = cli("run", "-m", model, "--data", "demo", "--tasks", "pope", "-o", str(tmp_path), "-a", "prompt=a {question}")
    assert found.code == 2
    assert "does not apply" in found.err


def test_a_function_is_asked_in_other_words(tmp_path: Path) -> None:
    seen: list[str] = []

    def answer(_pictures: list[Any], prompt: str) -> str:
        seen.append(prompt)
        return "Yes"

    words: Any = {"pope.prompt": "Question: {question} Short answer:", "format": "none"}
    evaluate(answer, "pope,mme", data="demo", limit=6, output=tmp_path, progress=False, **words)
    asked = {prompt.startswith("Question: ") and prompt.endswith(" Short answer:") for prompt in seen}
    assert asked == {True, False}
    assert not any(SHORT_ANSWER in prompt for prompt in seen)


def run(cli: Cli, folder: Path, *more: str) -> dict[str, Any]:
    found = cli("run", "--tasks", "pope", "-L", "8", "-o", str(folder), "--json", *more)
    assert found.code in (0, 3), found.err  # a model in words that it does not know answers what nobody can read
    made: dict[str, Any] = json.loads(found.out)
    return made


def test_what_is_asked_otherwise_is_another_run_and_on_record(cli: Cli, tmp_path: Path) -> None:
    own = run(cli, tmp_path)
    beams = run(cli, tmp_path, "-a", "num_beams=2", "-a", "pope.prompt=Question: {question}")
    assert own["run"] != beams["run"]
    again = run(cli, tmp_path, "-a", "num_beams=2", "-a", "pope.prompt=Question: {question}")
    assert (again["run"], again["results"][0]["generated"]) == (beams["run"], 0)
    assert "asked" not in own["results"][0]
    assert beams["results"][0]["asked"] == {"prompt": "Question: {question}", "num_beams": "2"}
    table = cli("report", own["run"], beams["run"]).out
    assert "ASKED WITH prompt=Question: {question}, num" in table
    assert "**" not in next(line for line in table.splitlines() if "(num" in line)
    compared = cli("compare", own["run"], beams["run"]).out
    assert "asked with" in compared


def test_a_system_text_is_a_way_of_asking_and_the_usual_one_none(cli: Cli, tmp_path: Path) -> None:
    (result,) = run(cli, tmp_path, "-a", "system=Be short.", "-a", "image=processor")["results"]
    assert result["asked"] == {"system": "Be short.", "image": "processor"}


def test_generation_settings_that_were_left_out_stand_in_the_table(cli: Cli, tmp_path: Path) -> None:
    from tests.text_checkpoint import edit, text_model

    folder = text_model(tmp_path / "model")
    edit(folder / "generation_config.json", lambda settings: settings.update(repetition_penalty=3.0, top_k=7))
    found = cli(
        *("run", "-m", "hf-text", "-a", f"path={folder}", "--data", "demo", "--tasks", "pope", "-L", "4"),
        *("-o", str(tmp_path / "runs"), "--json"),
    )
    made = json.loads(found.out)
    assert made["results"][0]["settings_left_out"] == {"repetition_penalty": 3.0, "top_k": 7}
    assert "top\\_k 7, repetition\\_penalty 3.0 left out, decoded greedily" in cli("report", made["run"]).out


def test_predict_asks_so_too_and_writes_the_question_as_it_was(cli: Cli, tmp_path: Path) -> None:
    questions, answers = tmp_path / "questions.jsonl", tmp_path / "answers.jsonl"
    questions.write_text(json.dumps({"question_id": 1, "text": f"Who?\n{SHORT_ANSWER}"}) + "\n")
    (tmp_path / "plugin.py").write_text(
        "from dataclasses import dataclass\nfrom typing import ClassVar\n"
        "from mipha_eval.core.adapter import ModelAdapter\nfrom mipha_eval.core.types import Response\n\n\n"
        "@dataclass(frozen=True)\nclass Echo(ModelAdapter):\n    name: ClassVar[str] = 'echo'\n\n"
        "    def generate(self, batch):\n        return [Response(request.text) for request in batch]\n"
    )
    found = cli(
        *("predict", "-m", "echo", "--plugin", str(tmp_path / "plugin.py"), "--questions", str(questions)),
        *("--image-folder", str(tmp_path), "--answers", str(answers)),
        *("-a", "prompt=Question: {question}", "-a", "format=none"),
    )
    assert found.code == 0, found.err
    row = json.loads(answers.read_text())
    assert (row["text"], row["prompt"]) == ("Question: Who?", f"Who?\n{SHORT_ANSWER}")


def test_as_published_is_of_presets_alone(cli: Cli, tmp_path: Path) -> None:
    found = cli("run", "-m", "constant", "--data", "demo", "--tasks", "pope", "-o", str(tmp_path), "--as-published")
    assert found.code == 2
    assert "no preset" in found.err


def test_options_cannot_be_wrong_in_python_either(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="unknown variable 'q'"):
        evaluate("mipha-tiny", "pope", limit=4, output=tmp_path, prompt="{q}")


def test_what_the_checkpoint_does_by_itself_is_no_other_way_of_asking(cli: Cli, tmp_path: Path) -> None:
    (result,) = run(cli, tmp_path, "-a", "template=v0", "-a", "image=pad")["results"]
    assert "asked" not in result


@pytest.mark.parametrize(
    "flags",
    [
        ["-a", "max_new_tokens=4"],
        ["-a", "prompt={question} Say it."],
        ["-a", "pope.format=none"],
        ["--control", "no-question"],
        ["--control", "blind"],
        ["--probabilities"],
    ],
)
def test_what_was_asked_otherwise_is_scored_again(cli: Cli, tmp_path: Path, flags: list[str]) -> None:
    """Answers belong to what the run asked, not to what the benchmark would ask."""
    found = cli("run", "--tasks", "pope", "--limit", 12, "-o", tmp_path, "--json", *flags).json
    (result,) = found["results"]
    again = cli("score", found["run"], "--json").json
    assert (again["n"], again["missing"], again["metrics"]) == (12, 0, result["metrics"])
