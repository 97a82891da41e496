"""Words as they are typed, for shells that take them apart or put something else in their place.

To bash ``pope@llava`` are three pieces, and it puts what it is told in the place of the last one alone, as it stands, blanks
and all. Behind ``--tasks=`` the other shells put what they are told in the place of the flag, too.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

import typer
from typer._click.shell_completion import CompletionItem, add_completion_class
from typer._completion_classes import BashComplete, FishComplete, ZshComplete
from typer.main import get_command

#: what the program is called, and the variable by which a shell asks
NAME = "mipha-eval"
ASKED = "_MIPHA_EVAL_COMPLETE"
#: what bash takes words apart at
MARKS = "@:="
#: a name of a host begins with it, so that bash puts it in the place of @, too
HOST = "@"
#: a part of a word in one kind of quote; the last may lack its end
PART = re.compile(
    r"""'(?P<single>[^']*)'?|"(?P<double>(?:[^"\\]|\\.)*)"?|\\(?P<escaped>.?)|(?P<plain>[^'"\\]+)""",
    re.DOTALL,
)
#: the beginning of a word up to a quote that is not closed, if there is one
CLOSED = re.compile(r"""(?:[^'"\\]|\\.|'[^']*'|"(?:[^"\\]|\\.)*")*""", re.DOTALL)
#: a word up to a blank that is in no quote
WORD = re.compile(r"""(?:[^\s'"\\]|\\.?|'[^']*'?|"(?:[^"\\]|\\.)*"?)+""", re.DOTALL)
#: a flag, which no mark leads to
FLAG = re.compile("--?[a-zA-Z]")
#: what a backslash stands before within double quotes; before anything else it is itself
SHIELDED = re.compile(r'\\(["\\$`])')
#: what means something to bash, by the quote that it stands in
SPECIAL = {"": re.compile(r"[^\w@%+=:,./^-]"), '"': re.compile(r'["\\$`]'), "'": re.compile("'")}


class BashWords(BashComplete):
    """What bash asks for, with words as they were typed; it is answered with what it puts in the place of its piece."""

    def get_completion_args(self) -> tuple[list[str], str]:
        """The words before the one that is completed, and that one."""
        *words, word = [unquoted(word) for word in joined(_pieces())]
        return words[1:], word

    def format_completion(self, item: CompletionItem) -> str:
        """What bash puts in the place of its piece, written as the quote asks that it stands in."""
        kept, quote = kept_by_bash(_pieces())
        text = (flag_of(unquoted(joined(_pieces())[-1])) + str(item.value)).removeprefix(unquoted(kept))
        return SPECIAL[quote].sub(r"'\\\g<0>'" if quote == "'" else r"\\\g<0>", text)


class ZshWords(ZshComplete):
    """What zsh asks for; it is answered with whole words."""

    def get_completion_args(self) -> tuple[list[str], str]:
        return _before_and_last()

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem]:
        return whole(super().get_completions(args, incomplete), incomplete)

    def format_completion(self, item: CompletionItem) -> str:
        """As typer writes it, but that a single quote, which it leaves out, stands in single quotes as shells have it."""
        return super().format_completion(item).replace("''", r"'\''")


class FishWords(FishComplete):
    """What fish asks for; it is answered with whole words."""

    def get_completion_args(self) -> tuple[list[str], str]:
        return _before_and_last()

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem]:
        return whole(super().get_completions(args, incomplete), incomplete)


def _before_and_last() -> tuple[list[str], str]:
    """The words before the one that zsh or fish completes, and that one, which a blank in quotes does not end."""
    line = os.environ["_TYPER_COMPLETE_ARGS"]
    found = WORD.findall(line)
    *words, word = map(unquoted, found if line.endswith(found[-1]) else [*found, ""])
    return words[1:], word


def _pieces() -> list[str]:
    """What bash took the words apart into, with their quotes, up to the piece that is completed."""
    return [*os.environ["COMP_WORDS"].split("\n"), ""][: int(os.environ["COMP_CWORD"]) + 1]


def joined(pieces: Sequence[str]) -> list[str]:
    """Words of pieces that a mark alone stands between; behind a blank there is an empty piece or, most often, a flag."""
    found: list[str] = []
    behind_mark = False
    for piece in pieces:
        is_mark = bool(piece) and not piece.strip(MARKS)
        if found and (is_mark or (behind_mark and piece and not FLAG.match(piece))):
            found[-1] += piece
        else:
            found.append(piece)
        behind_mark = is_mark
    return found


def kept_by_bash(pieces: Sequence[str]) -> tuple[str, str]:
    """What stands of the last word before what bash puts something else in the place of, and the quote that this is in."""
    piece = pieces[-1]
    before = joined(pieces)[-1].removesuffix(piece)
    closed = CLOSED.match(piece)
    if closed and piece[closed.end() :][:1] in ("'", '"'):
        return before + closed[0], piece[closed.end()]
    if piece and not piece.strip(MARKS):
        before += piece
    return before.removesuffix(HOST), ""


def unquoted(word: str) -> str:
    """A word without its quotes, of which the last may lack its end."""
    parts = [part.groupdict("") for part in PART.finditer(word)]
    return "".join(each["single"] + SHIELDED.sub(r"\1", each["double"]) + each["escaped"] + each["plain"] for each in parts)


def flag_of(word: str) -> str:
    """``--tasks=`` of ``--tasks=pope``, else nothing."""
    flag, equals, _ = word.partition("=")
    return flag + equals if equals and flag.startswith("-") else ""


def whole(items: Sequence[CompletionItem], word: str) -> list[CompletionItem]:
    """What a word is completed to, with the flag that stands before its value."""
    return [CompletionItem(flag_of(word) + str(item.value), item.type, item.help) for item in items]


def answer_shell(program: typer.Typer) -> None:
    """Answers a shell that asks how a word may go on, and ends the process; does nothing where none asks."""
    if ASKED not in os.environ:
        return
    command = get_command(program)  # makes the classes known that ours take the place of
    for shell, words in (("bash", BashWords), ("zsh", ZshWords), ("fish", FishWords)):
        add_completion_class(words, shell)
    command(prog_name=NAME)
