"""What models put around an answer: reasoning, answer tags, special tokens, roles, LaTeX and Markdown.

No official rule knows any of it. `wrappers` says what a text holds, for remarks; `unwrapped` takes it off, for the lenient
reading. Both look at a text from left to right once, so that no text is slow.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable

#: (opening, closing), the latter also where a chat template wrote the former; sources are in tests/test_lenient_reading.py
REASONING = (
    *((f"<{name}>", f"</{name}>") for name in ("think", "thinking", "thought", "thoughts", "reasoning", "reflection")),
    *((f"<{name}>", f"</{name}>") for name in ("analysis", "scratchpad", "seed:think", "rationale")),
    ("[THINK]", "[/THINK]"),
    ("◁think▷", "◁/think▷"),
    ("<|begin_of_thought|>", "<|end_of_thought|>"),
    ("<|channel|>analysis<|message|>", "<|channel|>final<|message|>"),
    ("<unused94>", "<unused95>"),
)
ANSWER = (
    *((f"<{name}>", f"</{name}>") for name in ("answer", "final_answer", "conclusion", "ans")),
    ("[ANSWER]", "[/ANSWER]"),
    ("<|begin_of_box|>", "<|end_of_box|>"),
    ("<|begin_of_solution|>", "<|end_of_solution|>"),
    ("(Here begins the CONCLUSION stage)", "(Here ends the CONCLUSION stage)"),
)
TOKENS = (
    *("<s>", "</s>", "<bos>", "<eos>", "<pad>", "<unk>", "<start_of_turn>", "<end_of_turn>", "<end_of_utterance>"),
    *("[INST]", "[/INST]", "<image>", "<IMG_CONTEXT>"),
)


def _any_of(marks: Iterable[str]) -> str:
    return "|".join(re.escape(mark) for mark in marks)


OPENING = {opening.lower(): opening for opening, _ in (*REASONING, *ANSWER)}
CLOSING = {closing.lower(): opening for opening, closing in (*REASONING, *ANSWER)}
THOUGHT = re.compile(_any_of(mark for pair in REASONING for mark in pair), re.IGNORECASE)
ANSWERED = re.compile(_any_of(mark for pair in ANSWER for mark in pair), re.IGNORECASE)
MARK = re.compile(f"{THOUGHT.pattern}|{ANSWERED.pattern}", re.IGNORECASE)
TOKEN = re.compile(rf"<[|\uff5c][\w\u2581 -]{{1,24}}[|\uff5c]>|{_any_of(TOKENS)}")
BEGINS_MARK = re.compile("[<◁[]|\\(Here")
#: special tokens that end a turn, or begin another
END = re.compile(
    r"<\|(?:end|eo[smt]|im_|return|start|user|human|system|observation)[^|]*\|>|</s>|<eos>|<(?:start|end)_of_turn>"
    r"|<end_of_utterance>",
    re.IGNORECASE,
)

#: where the turn of a model begins; the words are no part of its answer
ROLE = re.compile(
    r"(?:<\|(?:im_start|start|start_header_id)\|>|<start_of_turn>)\s*(?:assistant|model)\b(?:<\|end_header_id\|>)?"
    r"|\A\s*(?:#+ ?)?assistant ?:",
    re.IGNORECASE,
)
#: where another turn, which the model made up, begins
NEXT_TURN = re.compile(r"\n(?:#+ ?)?(?:user|human|question|q) ?:", re.IGNORECASE)

#: most answers have nothing that would have to be taken off
PLAIN = re.compile(r"[\w ,.;:'\"!?()/&%+-]*", re.ASCII)

BOX = re.compile(r"\\(?:boxed|fbox|framebox)\s*\{")
BRACE = re.compile(r"[{}]")
MACRO = re.compile(r"\\(?:text|textbf|textit|mathrm|mathbf|mathsf|mathit|mbox|emph|operatorname)\s*\{([^{}]*)\}")
MATHS = re.compile(r"\\[()\[\]]|\\[,;!]")
HTML = re.compile(r"<(b|strong|i|em|u|p)>([^<>]*)</\1>", re.IGNORECASE)
FENCE = re.compile(r"^```\w*$", re.MULTILINE)
LINE_MARK = re.compile(r"^(?:#{1,6}|>|[-*•])[ \t]+", re.MULTILINE)
ANSWER_KEYS = ("answer", "final_answer", "final answer", "choice", "option", "prediction", "response")


def wrappers(text: str) -> list[str]:
    """The kinds of marks that a text holds, each once: reasoning and answers by their opening mark, special tokens as such.

    Reasoning that does not end counts under its mark with ``unclosed`` behind it.
    """
    if not BEGINS_MARK.search(text):
        return []
    found: dict[str, None] = {}
    unclosed = ""
    for mark in MARK.finditer(text):
        lowered = mark[0].lower()
        found[OPENING.get(lowered) or CLOSING[lowered]] = None
        if THOUGHT.fullmatch(lowered):
            unclosed = OPENING.get(lowered, "")
    if unclosed:
        found[f"{unclosed} unclosed"] = None
    return list(found | dict.fromkeys(TOKEN.findall(MARK.sub("", text))))


def unwrapped(text: str) -> str:
    """A text without what models put around an answer; empty where reasoning does not come to an end.

    Of several boxes or answer tags each stands in a line of its own, so that readers see where they differ. Full-width
    characters become plain ones.
    """
    if PLAIN.fullmatch(text):
        return LINE_MARK.sub("", ROLE.sub("", text).strip())
    text = unicodedata.normalize("NFKC", _without_reasoning(text))
    text = _lines(_stored(_tagged(_this_turn(text))))
    text = NEXT_TURN.split(text, maxsplit=1)[0]
    text = MATHS.sub(" ", MACRO.sub(r"\1", MACRO.sub(r"\1", _boxed(text))))
    text = HTML.sub(r"\2", LINE_MARK.sub("", FENCE.sub("", text)))
    text = text.replace("**", "").replace("__", "").replace("`", "").strip()
    if len(text) > 2 and text[0] == text[-1] and text[0] in "$*_":
        text = text[1:-1]
    return text.strip()


def _lines(text: str) -> str:
    """The lines with words in them, without space around them, so that no pattern looks at long blanks again and again."""
    return "\n".join(filter(None, map(str.strip, text.splitlines())))


def _without_reasoning(text: str) -> str:
    """What stands outside reasoning. A closing mark without an opening one ends reasoning that began in the prompt."""
    kept: list[str] = []
    start, inside = 0, False
    for mark in THOUGHT.finditer(text):
        if mark[0].lower() in OPENING:
            if not inside:
                kept.append(text[start : mark.start()])
            inside = True
        else:
            if not inside:
                kept.clear()
            inside, start = False, mark.end()
    return "\n".join([*kept, *([] if inside else [text[start:]])])


def _this_turn(text: str) -> str:
    """The first turn, from the model's own role to the first special token that follows any words."""
    text = ROLE.sub("", text)
    kept: list[str] = []
    start, words = 0, False
    for token in TOKEN.finditer(text):
        if ANSWERED.fullmatch(token[0]):
            continue
        kept.append(text[start : token.start()])
        start, words = token.end(), words or bool(kept[-1].strip())
        if words and END.fullmatch(token[0]):
            return " ".join(kept)
    return " ".join([*kept, text[start:]])


def _tagged(text: str) -> str:
    """What stands in answer tags, also in one that does not end; the whole text if there is none with words in it."""
    found: dict[str, None] = {}
    start: int | None = None
    marks = list(ANSWERED.finditer(text))
    for mark in marks:
        if mark[0].lower() in OPENING:
            start = mark.end()
        elif start is not None:
            found[text[start : mark.start()].strip()] = None
            start = None
    if start is not None:
        found[text[start:].strip()] = None
    words = [content for content in found if content]
    return "\n".join(words) if words else ANSWERED.sub(" ", text) if marks else text


def _stored(text: str) -> str:
    """The answer in a text that is a JSON object, as models write that were asked for one."""
    inner = FENCE.sub("", text).strip()
    if not inner.startswith("{") or not inner.endswith("}"):
        return text
    try:
        stored = json.loads(inner)
    except (ValueError, RecursionError):
        return text
    named = {str(key).lower(): value for key, value in stored.items()} if isinstance(stored, dict) else {}
    return next((str(named[key]) for key in ANSWER_KEYS if isinstance(named.get(key), str | int | float)), text)


def _boxed(text: str) -> str:
    """What stands in LaTeX boxes; the whole text if there is none that ends."""
    found: dict[str, None] = {}
    depth, start = 0, 0
    boxes = {box.end() - 1 for box in BOX.finditer(text)}
    for brace in BRACE.finditer(text) if boxes else ():
        if depth == 0 and brace.start() not in boxes:
            continue
        if depth == 0:
            start = brace.end()
        depth += 1 if brace[0] == "{" else -1
        if depth == 0:
            found[text[start : brace.start()].strip()] = None
    return "\n".join(found) if found else text
