"""The benchmark against its package's own functions."""

from __future__ import annotations

from collections import Counter

import easy_vqa
import pytest
from mipha_eval_easyvqa.easyvqa import KINDS, EasyVqa

import mipha_eval as me
from mipha_eval import Response
from mipha_eval.core.data_source import DataSource
from mipha_eval.data.images import open_image

OFFICIAL = {
    "test": (easy_vqa.get_test_questions, easy_vqa.get_test_image_paths),
    "train": (easy_vqa.get_train_questions, easy_vqa.get_train_image_paths),
}


def task(protocol="test"):
    return EasyVqa(protocol, DataSource("folder"))


@pytest.mark.parametrize("protocol", OFFICIAL)
def test_questions_are_the_official_ones(protocol):
    questions, images = OFFICIAL[protocol]
    (texts, answers, pictures), paths = questions(), images()
    samples = list(task(protocol).samples())
    assert len(samples) == EasyVqa.rows[protocol][0]
    assert [sample.question for sample in samples] == texts
    assert [sample.target for sample in samples] == [(answer,) for answer in answers]
    assert [sample.images[0].location for sample in samples] == [paths[picture] for picture in pictures]
    assert len({sample.id for sample in samples}) == len(samples)


def test_the_answers_are_the_official_ones():
    assert sorted(KINDS) == sorted(easy_vqa.get_answers())
    kinds = Counter(sample.category for sample in task().samples())
    assert kinds["yesno"] == 7136  # by the package's README


def test_pictures_can_be_read():
    assert open_image(next(iter(task().samples())).images[0]).size == (64, 64)


@pytest.mark.parametrize(("answer", "right"), [("Triangle.", 1), ("triangle", 1), ("circle", 0), ("a triangle", 0), ("", 0)])
def test_the_rule(answer, right):
    sample = next(iter(task().samples()))
    assert (sample.question, sample.target) == ("what is the red shape?", ("triangle",))
    assert task().score(sample, Response(answer)).value == right


def test_a_model_that_always_says_no(tmp_path):
    run = me.evaluate(lambda images, prompt: "no", "easyvqa", output=tmp_path)
    _, answers, _ = easy_vqa.get_test_questions()
    assert run["easyvqa"].summary.n == len(answers)
    assert run["easyvqa"]["accuracy"] == pytest.approx(100 * answers.count("no") / len(answers))
