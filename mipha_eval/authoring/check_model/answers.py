"""What a model promises of its answers: one to each request, in order, the same whatever is asked beside it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

from mipha_eval.authoring.check_model.candidate import Candidate, TroubleError
from mipha_eval.authoring.check_model.questions import Question, turned
from mipha_eval.authoring.check_model.sameness import Comparison, another_order, answer, compare, shown
from mipha_eval.authoring.finding import Finding, Level
from mipha_eval.core.floor import Floor
from mipha_eval.core.types import Image, Response

#: rounds of the same two questions
ROUNDS = 3
#: by which the likelihood of an option may differ when options come in another order
NATS = 0.05
OPTIONS = ("Yes", "No", "A red triangle")


def check_answers(candidate: Candidate, first: Sequence[Response]) -> Iterator[Finding]:
    """All of it.

    Args:
        first: the answers to the two questions about one picture.
    """
    steady = determinism(candidate, first)
    yield steady
    if steady.level == "fault":
        yield Finding("batch", "note", "batch, order and sharing cannot be told of a model that answers otherwise by itself")
        return
    batch = candidate.questions.batch
    try:
        each = candidate.ask_each(batch)
    except TroubleError as error:
        yield Finding("batch", "fault", str(error))
        return
    yield from _batches(candidate, each)
    if not isinstance(candidate.adapter, Floor):
        yield from (ranking(candidate), broken_picture(candidate, each[0]))


def determinism(candidate: Candidate, first: Sequence[Response]) -> Finding:
    """The same two questions, asked again."""
    pair, found = candidate.questions.pair, None
    for _ in range(ROUNDS - 1):
        try:
            again = candidate.ask(pair)
        except TroubleError as error:
            return Finding("determinism", "fault", f"answered once, and then failed: {error}")
        found = compare(pair, first, again, candidate.dtype)
        if found.differ:
            break
    line = f"two questions, asked {ROUNDS} times, have the same answers"
    return _judged(candidate, "determinism", found, line, "the same question has other answers")


def _batches(candidate: Candidate, each: Sequence[Response]) -> Iterator[Finding]:
    batch, dtype = candidate.questions.batch, candidate.dtype
    try:
        together = candidate.ask(batch)
    except TroubleError as error:
        yield Finding(
            "batch", "fault", f"a batch of {len(batch)} fails, where each of its questions alone is answered: {error}"
        )
        return
    found = compare(batch, each, together, dtype)
    order = another_order(each, together, dtype) if found.differ else ()
    if order:
        told = ", ".join(str(place + 1) for place in order)
        line = f"a batch of {len(batch)} is answered in another order: its answers are those to its questions {told}"
        yield Finding("order", "fault", line)
        return
    line = f"a batch of {len(batch)} has the answers of {len(batch)} batches of one"
    yield _judged(candidate, "batch", found, line, "answers depend on what else is in a batch")
    if found.differ and not found.rounding:
        return
    yield turned_order(candidate, together)
    yield sharing(candidate, together)


def turned_order(candidate: Candidate, together: Sequence[Response]) -> Finding:
    """The same batch in another order."""
    places, batch = zip(*turned(candidate.questions.batch), strict=True)
    try:
        given = candidate.ask(batch)
    except TroubleError as error:
        return Finding("order", "fault", f"the same batch fails in another order: {error}")
    found = compare(batch, [together[place] for place in places], given, candidate.dtype)
    line = "requests in another order have their answers in that order"
    return _judged(candidate, "order", found, line, "answers depend on the order of requests")


def sharing(candidate: Candidate, together: Sequence[Response]) -> Finding:
    """Answers that share the work on a picture, beside the same alone."""
    batch, adapter = candidate.questions.batch, candidate.adapter
    if not adapter.shares:
        return Finding("sharing", "note", "requests share nothing, as the model says (shares = False)")
    if candidate.model.options.get("share") == "false":
        return Finding("sharing", "note", "nothing is shared, as asked")
    try:
        alone = candidate.alone
    except TroubleError as error:
        return Finding("sharing", "fault", f"the reference fails, with which shared answers are compared: {error}")
    found = compare(batch, alone, together, candidate.dtype)
    line = "answers that share the work on a picture are those made alone"
    judged = _judged(candidate, "sharing", found, line, "shared answers are not those made alone")
    said = adapter.describe().get("sharing")
    if judged.level == "ok" and said not in (None, "prefix"):
        return Finding("sharing", "note", f"{judged.line}; shared is {said}")
    return judged


def ranking(candidate: Candidate) -> Finding:
    """Options, ranked in two orders."""
    if not candidate.adapter.ranks:
        return Finding("ranking", "note", "ranks no options, as the model says (ranks = False)")
    question = candidate.questions.pair[0]
    orders = (OPTIONS, tuple(reversed(OPTIONS)))
    asked = [dataclasses.replace(question, request=dataclasses.replace(question.request, options=each)) for each in orders]
    try:
        one, other = candidate.ask(asked)
    except TroubleError as error:
        return Finding("ranking", "fault", str(error))
    failed = one.error or other.error
    if failed:
        return Finding("ranking", "note", f"tasks that rank options fail: {failed}")
    if len(one.likelihoods) != len(OPTIONS) or len(other.likelihoods) != len(OPTIONS):
        return Finding("ranking", "fault", "options were ranked without a likelihood of each")
    gaps = [abs(first - second) for first, second in zip(one.likelihoods, reversed(other.likelihoods), strict=True)]
    if max(gaps) > NATS * (1 if candidate.dtype == "torch.float32" else 10):
        return Finding(
            "ranking", "fault", f"an option's likelihood depends on the order of options, by {max(gaps):.2g} nats"
        )
    best = max(zip(one.likelihoods, OPTIONS, strict=True))
    return Finding("ranking", "ok", f"{len(OPTIONS)} options, whatever their order; the likeliest is {best[1]!r}")


def broken_picture(candidate: Candidate, alone: Response) -> Finding:
    """A picture that cannot be read, beside one that can."""
    if not candidate.adapter.reads_images:
        return Finding("broken picture", "note", "never looks at a picture, as the model says (reads_images = False)")
    good = candidate.questions.batch[0]
    image = Image("unreadable.png", "made-up:unreadable.png", _unreadable)
    bad = Question(good.sample, dataclasses.replace(good.request, images=(image,)))
    try:
        beside, response = candidate.ask([good, bad])
    except TroubleError as error:
        line = f"a picture that cannot be read fails its whole batch, which a run asks again in parts: {error}"
        return Finding("broken picture", "note", line)
    if not response.error:
        line = f"a question about a picture that cannot be read is answered {shown(response.text)}"
        return Finding("broken picture", "note", f"{line}; a model that looks at none says so (reads_images = False)")
    found = compare([good], [alone], [beside], candidate.dtype)
    line = f"its question alone fails: {response.error}"
    return _judged(candidate, "broken picture", found, line, "a picture that cannot be read changes other answers")


def _judged(candidate: Candidate, name: str, found: Comparison | None, fine: str, wrong: str) -> Finding:
    if found is None or not found.differ:
        return Finding(name, "ok", fine + (found.logits if found else ""))
    steady = candidate.adapter.steady
    level: Level = "note" if found.rounding or not steady else "fault"
    why = f", as rounding in {candidate.dtype} may do" if found.rounding else ""
    why = why or (", as the model says of itself (steady = False)" if not steady else "")
    return Finding(name, level, f"{wrong}{why}: {found.example}")


def _unreadable() -> bytes:
    raise OSError("made to be unreadable")


def first_answers(candidate: Candidate) -> tuple[Finding, Sequence[Response]]:
    """Two questions about one picture, and what was answered; nothing where one was not."""
    pair = candidate.questions.pair
    try:
        given = candidate.ask(pair)
    except TroubleError as error:
        return Finding("answers", "fault", str(error)), ()
    line = "; ".join(_told(question, response) for question, response in zip(pair, given, strict=True))
    failed = any(response.error for response in given)
    return Finding("answers", "fault" if failed else "ok", line), () if failed else given


def _told(question: Question, response: Response) -> str:
    counted = f" ({response.tokens} tokens, {response.finish})" if response.tokens and not response.error else ""
    return f"{shown(question.request.text)} -> {answer(response)}{counted}"
