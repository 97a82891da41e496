"""Completion in bash, which takes words apart where names of tasks have marks: ``pope@llava`` are three words to it."""

from __future__ import annotations

import os
from collections.abc import Sequence

import typer
from typer._click.shell_completion import CompletionItem, add_completion_class, split_arg_string
from typer._completion_classes import BashComplete
from typer.main import get_command

#: what the program is called, and the variable by which a shell asks
NAME = "mipha-eval"
ASKED = "_MIPHA_EVAL_COMPLETE"
#: what bash takes words apart at
MARKS = "@:="


class WholeWords(BashComplete):
    """What bash asks for, with words as they were typed; it is answered with what stands behind the last mark."""

    def get_completion_args(self) -> tuple[list[str], str]:
        """The words before the one that is completed, and that one."""
        split, current = split_arg_string(os.environ["COMP_WORDS"]), int(os.environ["COMP_CWORD"])
        words = joined(split[: current + 1])
        return (words[1:-1], words[-1]) if current < len(split) else (words[1:], "")

    def format_completion(self, item: CompletionItem) -> str:
        """What bash puts in the place of its last word."""
        _, typed = self.get_completion_args()
        taken = max(typed.rfind(mark) for mark in MARKS) + 1
        value = str(item.value)
        return value[taken:] if value.startswith(typed[:taken]) else value


def joined(words: Sequence[str]) -> list[str]:
    """Words with those in one that a mark alone stands between."""
    found: list[str] = []
    behind_mark = False
    for word in words:
        is_mark = bool(word) and not word.strip(MARKS)
        if found and (is_mark or behind_mark):
            found[-1] += word
        else:
            found.append(word)
        behind_mark = is_mark
    return found


def answer_shell(program: typer.Typer) -> None:
    """Answers a shell that asks how a word may go on, and ends the process; does nothing where none asks."""
    if ASKED not in os.environ:
        return
    command = get_command(program)  # makes the classes known that ours takes the place of one of
    add_completion_class(WholeWords, "bash")
    command(prog_name=NAME)
