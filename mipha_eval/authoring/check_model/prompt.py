"""What stands around a picture in a prompt, and what of it makes answers worse without a word."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from mipha_eval.authoring.check_model.candidate import Candidate, in_a_line
from mipha_eval.authoring.check_model.sameness import compare
from mipha_eval.authoring.finding import Finding, Level
from mipha_eval.core.types import Response

if TYPE_CHECKING:
    from mipha_eval.models.prompt_tokens import AnyAdapter, PromptTokens, TokenFacts

#: tokens that are shown on each side of a picture, and at the end
AROUND = 8


def check_prompt(candidate: Candidate, first: Sequence[Response]) -> Iterator[Finding]:
    """All of it; a note of models that cannot tell.

    Args:
        first: the answers to the two questions about one picture; empty where there are none.

    Raises:
        TroubleError: the prompt cannot be made.
    """
    from mipha_eval.models.prefix import PrefixAdapter

    if not isinstance(candidate.adapter, PrefixAdapter):
        yield Finding("prompt", "note", "this model cannot tell what it makes of a prompt; tokens were not looked at")
        return
    from mipha_eval.models.prompt_tokens import prompt_tokens, token_facts
    from mipha_eval.models.transformers_adapter import TransformersAdapter

    if not isinstance(candidate.adapter, TransformersAdapter):
        yield Finding("prompt", "note", "this model cannot tell the tokens of a prompt; they were not looked at")
        return
    pair = candidate.questions.pair
    with in_a_line():
        facts = token_facts(candidate.adapter)
    if candidate.adapter.reads_images and (facts.marks or 1) > 1:  # which no processor makes a prompt of
        line = f"{facts.marks} marks stand for 1 picture: the template writes more than the one that is put there for it"
        yield Finding("picture tokens", "fault", line)
        return
    with in_a_line():
        one, other = (prompt_tokens(candidate.adapter, question.request) for question in pair)
    yield Finding("prompt", "ok", around_pictures(one))
    yield beginning(one, facts)
    if candidate.adapter.reads_images:
        yield picture_tokens(one, len(pair[0].request.images))
        yield picture_first(one, other)
    yield end_token(facts, first)
    yield positions(one, facts, candidate.questions.limit)
    if first:
        yield padding(candidate, candidate.adapter)


def around_pictures(prompt: PromptTokens) -> str:
    """The prompt's tokens around its pictures, with their ids."""
    places = prompt.picture_places
    begin, end = (places[0], places[-1] + 1) if places else (0, 0)
    before = _listed(prompt, max(0, begin - AROUND), begin) or "nothing"
    behind = _listed(prompt, end, min(end + AROUND, len(prompt.ids)))
    last = _listed(prompt, max(end + AROUND, len(prompt.ids) - AROUND), len(prompt.ids))
    what = f"{len(places)} of {_ids(prompt)} for the picture" if places else "no token for the picture"
    cut = "... " if begin > AROUND else ""
    gap = "" if end + AROUND >= len(prompt.ids) - AROUND else " ..."
    return f"{len(prompt.ids)} tokens, {prompt.length} positions: {cut}{before} [{what}] {behind}{gap} {last}".rstrip()


def _listed(prompt: PromptTokens, begin: int, end: int) -> str:
    return " ".join(f"{prompt.texts[place]!r}={prompt.ids[place]}" for place in range(begin, end))


def _ids(prompt: PromptTokens) -> str:
    return ", ".join(f"{prompt.texts[prompt.ids.index(token)]!r}={token}" for token in sorted(prompt.pictures))


def beginning(prompt: PromptTokens, facts: TokenFacts) -> Finding:
    """How often the token stands there that a text begins with."""
    if facts.begin is None:
        return Finding("begin token", "ok", "its tokenizer has none")
    places = [place for place, token in enumerate(prompt.ids) if token == facts.begin]
    if not places or places[0]:
        line = f"token {facts.begin} does not begin the prompt"
        if facts.adds_begin:
            line += ", which the tokenizer puts before a text by itself; the template leaves it out"
        return Finding("begin token", "note" if facts.adds_begin else "ok", line)
    text = prompt.texts[0]
    if len(places) > 1 and not "".join(prompt.texts[1 : places[1]]).strip():
        line = f"{text!r}={facts.begin} stands there twice: the template writes it, and the tokenizer puts it before a text"
        return Finding("begin token", "fault", f"{line}; take it out of the template")
    if len(places) > 1:
        line = f"{text!r}={facts.begin} begins the prompt and stands there {len(places) - 1} more times, as token"
        return Finding("begin token", "note", f"{line} {', '.join(str(place + 1) for place in places[1:4])}")
    once = f"{text!r}={facts.begin} begins the prompt, once"
    if facts.adds_begin and facts.writes_begin:
        line = (
            f"{once}: the template writes it, and the tokenizer is kept from adding another, which other programs may not do"
        )
        return Finding("begin token", "note", line)
    return Finding("begin token", "ok", once)


def picture_tokens(prompt: PromptTokens, pictures: int) -> Finding:
    """Whether what stands for a picture stands there once a picture."""
    written = sum(token < 0 for token in prompt.ids)
    if written > pictures:
        return Finding("picture tokens", "fault", f"{written} marks stand for {pictures} picture")
    if not prompt.pictures:
        return Finding("picture tokens", "note", "no token stands for a picture; the network puts it in by itself")
    return Finding("picture tokens", "ok", f"{len(prompt.picture_places)} for {pictures} picture")


def picture_first(one: PromptTokens, other: PromptTokens) -> Finding:
    """Whether two prompts about one picture differ behind it alone."""
    if not one.pictures:
        return Finding("picture first", "note", "where the picture stands in the prompt cannot be told from its tokens")
    pairs = zip(one.ids, other.ids, strict=False)
    alike = next((place for place, (left, right) in enumerate(pairs) if left != right), min(len(one.ids), len(other.ids)))
    end = one.picture_places[-1] + 1
    if alike < end:
        line = f"two prompts about one picture differ from token {alike + 1} on, and it ends at token {end}"
        return Finding("picture first", "note", f"{line}: it stands behind the question, so that no prefix can be shared")
    share = 100 * alike / max(len(one.ids), 1)
    return Finding("picture first", "ok", f"two prompts about one picture share their first {alike} tokens ({share:.0f} %)")


def end_token(facts: TokenFacts, first: Sequence[Response]) -> Finding:
    """What ends an answer."""
    named = ", ".join(f"{text!r}={token}" for token, text in facts.ends.items())
    endless = bool(first) and all(response.finish == "length" for response in first)
    if not facts.ends:
        return Finding("end token", "fault", "no token ends an answer")
    if facts.turn_end is not None and facts.turn_end[0] not in facts.ends:
        token, text = facts.turn_end
        line = f"its template closes an answer with {text!r}={token}, which ends none here ({named} do)"
        level: Level = "fault" if endless else "note"
        return Finding("end token", level, f"{line}; name it in generation_config.json (eos_token_id)")
    if endless:
        limit = max(response.tokens for response in first)
        return Finding("end token", "note", f"both answers ran to the limit of {limit} tokens without {named}")
    return Finding("end token", "ok", f"answers end at {named}")


def positions(prompt: PromptTokens, facts: TokenFacts, limit: int) -> Finding:
    """Whether the network has positions for the prompt and the longest answer to it."""
    whole = f"{prompt.length} tokens of the prompt and {limit} of an answer"
    if facts.positions is None:
        return Finding("positions", "ok", f"{whole}; the model names no limit")
    if prompt.length + limit > facts.positions:
        return Finding("positions", "fault", f"{whole} exceed the model's {facts.positions:,} positions")
    return Finding("positions", "ok", f"{whole}, of {facts.positions:,} positions")


def padding(candidate: Candidate, adapter: AnyAdapter) -> Finding:
    """Prompts of different lengths, padded together, beside the same alone."""
    from mipha_eval.models.image_text_adapter import TOWER_ALONE, ImageTextAdapter

    batch = candidate.questions.batch
    if isinstance(adapter, ImageTextAdapter) and adapter.proved.way in ("", TOWER_ALONE):
        return Finding("padding", "note", f"each prompt is read by itself, none is padded: {adapter.proved.text}")
    with in_a_line():
        together = adapter.plain([question.request for question in batch])
    found = compare(batch, candidate.alone, together, candidate.dtype)
    if found.differ and not found.rounding:
        line = (
            "prompts that are padded to one length are answered otherwise than alone: padding is attended to, or moves them"
        )
        return Finding("padding", "fault", f"{line}: {found.example}")
    return Finding("padding", "ok", f"{len(batch)} prompts, padded to one length, are answered as alone{found.logits}")
