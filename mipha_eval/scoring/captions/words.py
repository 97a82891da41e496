"""Captions to words. The tokenizer changes every caption score, so metrics carry its name."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from typing import Literal

from mipha_eval.core.errors import UserError

Tokenizer = Literal["ptb", "treebank"]

#: a caption that must come back as it is, so that a shifted line cannot go unnoticed
LAST_LINE = "endofcaptions"


def java_is_there() -> bool:
    return shutil.which("java") is not None


def tokenize(captions: Sequence[str], tokenizer: Tokenizer) -> list[str]:
    """Lower-cased words of each caption, without punctuation, joined by single spaces.

    ``ptb`` is COCO's own (Stanford's, in Java, through pycocoevalcap); ``treebank`` is NLTK's, which needs no Java and
    differs in details.

    Raises:
        UserError: Java is missing or fails.
    """
    return _stanford(captions) if tokenizer == "ptb" else _treebank(captions)


def _stanford(captions: Sequence[str]) -> list[str]:
    from pycocoevalcap.tokenizer.ptbtokenizer import PTBTokenizer

    # whatever Java may take for the end of a line would shift all captions behind it
    plain = [" ".join(caption.encode("utf-8", "replace").decode().replace("\0", " ").splitlines()) for caption in captions]
    rows = {place: [{"caption": caption}] for place, caption in enumerate([*plain, LAST_LINE])}
    try:
        words = PTBTokenizer().tokenize(rows)
    except (OSError, UnicodeError) as error:
        raise UserError(f"Stanford's tokenizer cannot run ({error}); choose tokenizer=treebank") from error
    if words.get(len(captions)) != [LAST_LINE]:
        raise UserError("Stanford's tokenizer lost or added lines; choose tokenizer=treebank")
    return [words[place][0] for place in range(len(captions))]


def _treebank(captions: Sequence[str]) -> list[str]:
    from nltk.tokenize.treebank import TreebankWordTokenizer
    from pycocoevalcap.tokenizer.ptbtokenizer import PUNCTUATIONS

    split = TreebankWordTokenizer().tokenize
    dropped = frozenset(PUNCTUATIONS)
    rows = (split(caption.lower().replace("\n", " "), convert_parentheses=True) for caption in captions)
    return [" ".join(word for word in words if word not in dropped) for words in rows]
