"""Caption measures against pycocoevalcap as a whole, and caption tasks on the command line."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from mipha_eval.core.metrics import Totals, add_tallies
from mipha_eval.scoring.captions.measures import bleu, caption_metrics, count_images, meteor
from mipha_eval.scoring.captions.words import tokenize
from tests.conftest import Cli, needs_java, write_jsonl

WORDS = "a the red blue star circle and on of with two dogs running man bicycle".split()  # noqa: SIM905


def captions(seed: int, images: int) -> tuple[list[str], list[list[str]]]:
    """Made-up tokenized captions; some candidates are empty, repeated or equal to a reference."""
    rng = random.Random(seed)

    def sentence(least: int) -> str:
        return " ".join(rng.choices(WORDS, k=rng.randint(least, 9)))

    references = [[sentence(1) for _ in range(rng.randint(1, 5))] for _ in range(images)]
    return [rng.choice([sentence(0), truths[0], truths[-1]]) for truths in references], references


def as_official(candidates: list[str], references: list[list[str]]) -> tuple[dict[int, list[str]], dict[int, list[str]]]:
    return dict(enumerate(references)), {place: [caption] for place, caption in enumerate(candidates)}


@pytest.mark.parametrize("seed", range(8))
def test_sums_give_the_official_numbers(seed: int) -> None:
    from pycocoevalcap.bleu.bleu import Bleu
    from pycocoevalcap.cider.cider import Cider
    from pycocoevalcap.rouge.rouge import Rouge

    candidates, references = captions(seed, 2 + 10 * seed)
    totals = Totals(add_tallies(count_images(candidates, references, meteor=False)))
    official = as_official(candidates, references)
    values = {metric.name: float(metric.formula(totals)) for metric in caption_metrics("x", ())}
    assert values["CIDEr[x]"] == pytest.approx(100 * Cider().compute_score(*official)[0], abs=1e-9)
    assert values["ROUGE_L[x]"] == pytest.approx(100 * Rouge().compute_score(*official)[0], abs=1e-9)
    expected, _ = Bleu(4).compute_score(*official, verbose=0)
    assert [float(bleu(order, totals)) / 100 for order in (1, 2, 3, 4)] == pytest.approx(expected, abs=1e-9)


@needs_java
def test_meteor_from_sums_is_the_official_one() -> None:
    from pycocoevalcap.meteor.meteor import Meteor

    candidates, references = captions(3, 30)
    counts = count_images(candidates, references, meteor=True)
    scorer = Meteor()
    official, each = scorer.compute_score(*as_official(candidates, references))
    scorer.meteor_p.stdout.close()
    scorer.meteor_p.stderr.close()
    assert float(meteor(Totals(add_tallies(counts)))) == pytest.approx(100 * official, abs=1e-9)
    for own, value in zip(counts, each, strict=True):
        assert float(meteor(Totals(own))) == pytest.approx(100 * value, abs=1e-9)


UGLY = [
    "A man's dog -- (brown), isn't it?",
    "",
    "two\nlines\x0band\u2028more\r\n",
    "nul \0 and \ud800",
    "犬。",
    "a " * 20_000,
]


@pytest.mark.parametrize("tokenizer", [pytest.param("ptb", marks=needs_java), "treebank"])
def test_ugly_captions_keep_their_lines(tokenizer: Any) -> None:
    """No character of one caption moves words into another."""
    found = tokenize([text for ugly in UGLY for text in (ugly, "a plain line")], tokenizer)
    assert found[1::2] == ["a plain line"] * len(UGLY)
    bracketed = {"ptb": "-lrb- brown -rrb-", "treebank": "brown"}[tokenizer]  # in lower case COCO's list misses brackets
    assert found[0] == f"a man 's dog {bracketed} is n't it"
    assert found[2] == ""
    assert found[4] == "two lines and more"


def test_a_stored_run_keeps_its_tokenizer(cli: Cli, tmp_path: Path) -> None:
    """`score RUN` gives the run's own metrics, also where Java would be chosen by default."""
    command = ["run", "--tasks", "coco-cap", "--data", "demo", "--model", "constant", "-a", "answer=A red circle."]
    command += ["-a", "coco-cap.tokenizer=treebank", "--limit", "5", "--output", str(tmp_path), "--json"]
    first = cli(*command).json
    again = cli("score", first["run"], "--json").json
    assert "CIDEr[treebank]" in first["results"][0]["metrics"]
    for entry in ("n", "headline", "metrics", "intervals"):
        assert again[entry] == first["results"][0][entry]
    assert "CIDEr[treebank]" in cli("score", first["run"]).out, "brackets are no markup"


def test_a_caption_of_an_unknown_image_is_refused(cli: Cli, tmp_path: Path) -> None:
    write_coco(tmp_path, 3)
    path = tmp_path / "coco/annotations/captions_val2017.json"
    content = json.loads(path.read_text())
    content["annotations"][0]["image_id"] = "10"
    path.write_text(json.dumps(content))
    write_jsonl(tmp_path / "answers.jsonl", [{"question_id": 10, "text": "a dog"}])
    outcome = cli("score", "coco-cap", "--data", tmp_path, "--answers", tmp_path / "answers.jsonl")
    assert outcome.code == 2
    assert "caption of image '10'" in outcome.err


def write_coco(folder: Path, images: int) -> list[list[str]]:
    rng = random.Random(images)
    truths = [[" ".join(rng.choices(WORDS, k=6)) for _ in range(5)] for _ in range(images)]
    content = {
        "images": [
            {"id": 10 + number, "file_name": f"{number}.jpg", "domain": ("in-domain", "out-domain")[number % 2]}
            for number in range(images)
        ],
        "annotations": [
            {"image_id": 10 + number, "caption": caption} for number, own in enumerate(truths) for caption in own
        ],
    }
    for name in ("coco/annotations/captions_val2017.json", "nocaps/nocaps_val_4500_captions.json"):
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_text(json.dumps(content))
    return truths


@pytest.mark.parametrize("task", ["coco-cap", "nocaps"])
def test_on_the_command_line(task: str, cli: Cli, tmp_path: Path) -> None:
    """Perfect captions score high, LLaVA's lines and the official list alike; a missing caption is told."""
    truths = write_coco(tmp_path, 6)
    answers = [{"question_id": 10 + number, "text": own[2]} for number, own in enumerate(truths)]
    write_jsonl(tmp_path / "answers.jsonl", answers)
    official = [{"image_id": row["question_id"], "caption": row["text"]} for row in answers]
    (tmp_path / "official.json").write_text(json.dumps(official))
    arguments = ["score", task, "--data", str(tmp_path), "-a", "tokenizer=treebank", "--json"]
    first = cli(*arguments, "--answers", tmp_path / "answers.jsonl").json
    assert first == cli(*arguments, "--answers", tmp_path / "official.json").json
    assert first["headline"] == "CIDEr[treebank]"
    assert first["metrics"]["BLEU-4[treebank]"] == pytest.approx(100)
    assert first["metrics"]["ROUGE_L[treebank]"] == pytest.approx(100)
    assert first["metrics"]["CIDEr[treebank]"] > 200
    assert ("out-domain/CIDEr[treebank]" in first["metrics"]) == (task == "nocaps")
    assert "METEOR[treebank]" not in first["metrics"]
    write_jsonl(tmp_path / "fewer.jsonl", answers[1:])
    fewer = cli(*arguments, "--answers", tmp_path / "fewer.jsonl")
    assert fewer.code == 3
    assert fewer.json["missing"] == 1


@needs_java
def test_java_gives_meteor_and_its_own_names(cli: Cli, tmp_path: Path) -> None:
    truths = write_coco(tmp_path, 4)
    write_jsonl(
        tmp_path / "answers.jsonl", [{"question_id": 10 + number, "text": own[0]} for number, own in enumerate(truths)]
    )
    result = cli("score", "coco-cap", "--data", tmp_path, "--answers", tmp_path / "answers.jsonl", "--json").json
    assert {"CIDEr[ptb]", "METEOR[ptb]", "ROUGE_L[ptb]", "BLEU-4[ptb]"} == set(result["metrics"]) - {
        f"BLEU-{order}[ptb]" for order in (1, 2, 3)
    }
    assert result["metrics"]["METEOR[ptb]"] == pytest.approx(100)
    assert result["interval_notes"]["METEOR[ptb]"] == "all images alike"
