"""Whether a text says yes or no, in the words and sentences that models answer with."""

from __future__ import annotations

import re

SAYS_YES = """yes yeah yep yup y true correct right affirmative
是 是的 有 有的 对 对的 没错 正确 存在"""
SAYS_NO = """no nope nah n false incorrect wrong negative
否 不是 不是的 没有 沒有 不 不对 错 错误 不正确 无 不存在"""
#: words of further languages, which begin a sentence as an answer where a comma follows ("Oui, il y a un chien")
FURTHER_YES = "はい 예 네 oui ja sí si sim да"
FURTHER_NO = "いいえ 아니요 아니오 non nein nee não нет"
YES, NO = {*SAYS_YES.split(), *FURTHER_YES.split()}, {*SAYS_NO.split(), *FURTHER_NO.split()}
EDGES = " \t\n.,:;!?()[]{}<>\"'“”‘’«»*_$/\\|~^=`-–—•→。，、：；！？（）「」『』【】《》"

SENTENCE = re.compile(r"[^.!?\n。！？]+[.!?。！？]*")
#: yes or no as a word; \b would take Chinese characters beside it for a part of it
WORD = re.compile(r"(?<![a-z0-9'’-])(yes|yeah|yep|yup|no|nope)(?![a-z0-9'’-])")
STATED = re.compile(
    r"(?:\banswer\b|\bconclusion\b|答案|回答)[^.!?\n]{0,40}?"
    r"(?:\b(?:is|would be|should be|must be)\b|[:=]|是|为)[\s\"'(*:]*"  # one class, so that long runs take linear time
    r"(?:(?:definitely|clearly|likely|probably|simply|a|an)\s+[\"'(*]*)*(yes|no|是的|不是|否|是|没有|有)(?![a-z0-9'’-])"
    r"(?!\s*(?:or|and|/)\s*(?:yes|no)\b)"
)
#: the first word of a sentence, where it is the answer and not the beginning of "no dog" or "是一只狗"
LEADING = re.compile(
    r"\W*(?:(?:so|thus|therefore|hence|well|final answer)\b[\s,:]*)*"
    r"(?:(yes|yeah|yep|yup|no|nope|true|false|correct|incorrect|sure|certainly|indeed|absolutely|definitely|of course"
    rf"|{'|'.join(f'{FURTHER_YES} {FURTHER_NO}'.split())})(?=\s*(?:[,;:!.?)、。]|[-–—]\s|\Z))"
    r"|(是的|不是的?|没有|沒有|没错|不存在|存在|对的?|不对|正确|错误|是|否|有|无|不)(?=\s*(?:[,;:!，；：！。、]|\Z)))"
)
ASSENT = {"sure", "certainly", "indeed", "absolutely", "definitely", "of course"}
BOTH = "both"
#: no answers, whatever "no" or "not" stands in them
IDIOMS = re.compile(
    r"\bno\s+(?:doubt|question|problem|idea|clue|comment|answer|wonder|information|context|image|picture|photo|matter|need"
    r"|(?:way|means)\s+(?:to|of))\b"
    r"|\bno\s+one\b|\bno\.\s*\d|\bnot\s+(?:only|just|to\s+mention)\b|\bwhy\s+not\b"
)
UNSURE = re.compile(
    r"\b(?:not\s+(?:sure|certain|clear|possible|able|enough|know|provided|no)"
    r"|(?:(?:ca|could|do|does|did|wo|would|is|are|was)n't|(?:can|could|do|does|did|will|would|is|am|are)\s?not)\s+(?:\w+\s+)?"
    r"(?:know|tell|say|determined?|sure|certain|clear|possible|able|answer|see\s+the\s+(?:image|picture)|view|assist|help"
    r"|provide|give|confirm|verify|judge|access|process)"
    r"|unsure|unclear|uncertain|unable|impossible\s+to|whether|maybe|perhaps|either|sorry)\b"
    r"|不确定|不知道|不清楚|无法|不能|看不清|是不是|有没有|是否|抱歉"
)
NEGATION = re.compile(
    r"\b(?:not|cannot|never|neither|nor|absent|lacks?|none\s+of)\b|n['’]t\b|没有|沒有|不是|并非|不存在|没|不在|不包含|不含|看不到"
)


def read_polarity(text: str) -> str:
    """yes or no; empty if the text says neither, both, or that it cannot tell. `text` must have been unwrapped.

    What it states as its answer counts, and a sentence that is or begins with a yes or no ("Yes, there is"); without either
    a first sentence that says one of the words ("I see no dog") or denies ("Not visible"). "There is a cat" is no yes.
    """
    text = text.lower().replace("’", "'")
    sentences = [found for found in SENTENCE.findall(text) if found.strip(EDGES)]
    if not sentences:
        return ""
    bare = _of_word(text.strip(EDGES))
    if bare:
        return bare
    stated = [_of_word(found) for found in STATED.findall(text)]
    leading = [reading for sentence in sentences if (reading := _leading(sentence))]
    if leading and not stated and not _leading(sentences[0]):
        leading += filter(None, [_of_sentences(sentences[:1])])
    said = {*stated, *leading}
    return _of_sentences(sentences) if not said else said.pop() if len(said) == 1 and said != {BOTH} else ""


def _of_word(word: str) -> str:
    return "yes" if word in YES else "no" if word in NO else ""


def _leading(sentence: str) -> str:
    """What a sentence begins with, or is, as an answer; `BOTH` where it says the other word, too."""
    word = sentence.strip(EDGES)
    found = LEADING.match(sentence)
    said = (found[1] or found[2]) if found else ""
    reading = _of_word(word) or _of_word(said) or ("yes" if said in ASSENT else "")
    others = {_of_word(other) for other in WORD.findall(IDIOMS.sub(" ", sentence))} - {reading}
    return BOTH if reading and others else reading


def _of_sentences(sentences: list[str]) -> str:
    """What statements come to, questions aside: the first must say or deny, and no other may say the opposite."""
    sentences = [sentence for sentence in sentences if not sentence.rstrip().endswith(("?", "？"))]
    if not sentences:
        return ""
    first = IDIOMS.sub(" ", sentences[0])
    if UNSURE.search(first):
        return ""
    said = {_of_word(word) for word in WORD.findall(first)}
    denied = NEGATION.search(first) is not None
    reading = said.pop() if len(said) == 1 else "no" if not said and denied else ""
    if reading == "yes" and denied:
        return ""
    others = {_of_word(word) for sentence in sentences[1:] for word in WORD.findall(IDIOMS.sub(" ", sentence))}
    return "" if {"yes": "no", "no": "yes"}.get(reading) in others else reading
