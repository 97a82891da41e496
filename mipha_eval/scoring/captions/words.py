"""Captions to words. The tokenizer changes every caption score, so metrics carry its name."""

from __future__ import annotations

import logging
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from mipha_eval.core.errors import UserError
from mipha_eval.core.library_messages import run_quietly
from mipha_eval.core.stopping import give_up_if_asked

logger = logging.getLogger(__name__)

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
    # whatever Java may take for the end of a line would shift all captions behind it
    plain = [" ".join(caption.encode("utf-8", "replace").decode().replace("\0", " ").splitlines()) for caption in captions]
    try:
        words = _lines_of_java([*plain, LAST_LINE])
    except (OSError, UnicodeError) as error:
        raise UserError(f"Stanford's tokenizer cannot run ({error}); choose tokenizer=treebank") from error
    if len(words) <= len(captions) or words[len(captions)] != LAST_LINE:
        raise UserError("Stanford's tokenizer lost or added lines; choose tokenizer=treebank")
    return words[: len(captions)]


def _lines_of_java(captions: Sequence[str]) -> list[str]:
    """What pycocoevalcap's PTBTokenizer makes of captions, one a line.

    Its class starts Java so that Java writes to the terminal, and needs a package folder that can be written to.
    """
    from pycocoevalcap.tokenizer import ptbtokenizer

    jar = Path(ptbtokenizer.__file__).with_name(ptbtokenizer.STANFORD_CORENLP_3_4_1_JAR)
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "captions").write_bytes("\n".join(captions).encode())
        command = [
            "java",
            "-cp",
            str(jar),
            "edu.stanford.nlp.process.PTBTokenizer",
            "-preserveLines",
            "-lowerCase",
            "captions",
        ]
        lines = run_quietly(command, Path(folder), logger).decode().split("\n")
    dropped = frozenset(ptbtokenizer.PUNCTUATIONS)
    return [" ".join(word for word in line.rstrip().split(" ") if word not in dropped) for line in lines]


def _treebank(captions: Sequence[str]) -> list[str]:
    from nltk.tokenize.treebank import TreebankWordTokenizer
    from pycocoevalcap.tokenizer.ptbtokenizer import PUNCTUATIONS

    split = TreebankWordTokenizer().tokenize
    dropped = frozenset(PUNCTUATIONS)
    rows = []
    for caption in captions:
        give_up_if_asked()
        words = split(caption.lower().replace("\n", " "), convert_parentheses=True)
        rows.append(" ".join(word for word in words if word not in dropped))
    return rows
