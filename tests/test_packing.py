"""What is packed for speed is the same when it is unpacked, and letter for letter what the slow way writes."""

from __future__ import annotations

import json

import pytest

from mipha_eval.cluster.messages import AnswerJob, CostJob, FolderJob, Job, ReferenceJob, SentImage, SentRequest
from mipha_eval.cluster.packing import packed, unpacked
from mipha_eval.core.json_line import to_json
from mipha_eval.core.types import Decoding

FIRST, SECOND = SentImage("a.jpg", "/p/a.jpg", True, ("/p", "a.jpg")), SentImage("b.jpg", "hub:b", False, None)
REQUESTS = [
    SentRequest("One?", (FIRST,), Decoding(), 1, (), (), ""),
    SentRequest("Two?", (SECOND, FIRST), Decoding(num_beams=5), "2", ("A", "B"), ("Yes",), "plain"),
    SentRequest("None?", (), Decoding(), None, (), (), ""),
]


@pytest.mark.parametrize(
    "job",
    [AnswerJob(1, REQUESTS, True), ReferenceJob(2, REQUESTS[:1]), CostJob(3, REQUESTS), CostJob(4, []), FolderJob(5, {})],
)
def test_a_job_is_unpacked_as_it_was(job: Job) -> None:
    found = unpacked(packed(job))
    assert found == job
    for request in getattr(found, "requests", ()):
        assert type(request) is SentRequest
        assert all(type(image) is SentImage for image in request.images)


@pytest.mark.parametrize(
    "value",
    [{"a": [1, 2.5, None, True], 'ä\n"': "\ud800 €"}, [], "é", 1e-9, {"x": float("inf"), "y": {"z": (1, "2")}}, {1: "a"}],
)
def test_a_line_is_what_json_writes(value: object) -> None:
    assert to_json(value) == json.dumps(value)
