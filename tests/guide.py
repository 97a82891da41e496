"""Guides as a reader follows them: files are written, commands are run, and what these print is compared.

A guide is a Markdown file. Of its fenced blocks, in their order:

- one with ``title=FILE`` behind its language is a file, which is written;
- ``bash`` blocks are run, with ``exit=CODE`` where they are to fail, and not with ``norun="REASON"``;
- a ``text`` block directly behind a ``bash`` block is what that prints: times, names of runs and the lines of tables may
  differ, all other numbers may not, and ``...`` stands for anything, alone in a line for any lines.

Other blocks are only to be read.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from tests.progress_lines import besides_progress

ROOT = Path(__file__).parents[1]

FENCE = re.compile(r"(\s*)```(\w*)(.*)")
ATTRIBUTE = re.compile(r"""\s+(\w+)=(?:"([^"]*)"|([^\s"]+))""")
KNOWN = {"bash": {"norun", "exit"}}
#: what other pages call commands; here they would not be run, and nobody would notice
NOT_RUN = ("sh", "shell", "console", "zsh", "")

RULES = re.compile(r"[\s─━│┃┏┳┓┡╇┩└┴┘├┼┤]+")
RUN_NAME = re.compile(r"__\d{8}-\d{6}__[0-9a-f]{6}")
SECONDS = re.compile(r"\b\d[\d,.]* ?(s|ms|seconds)\b")
LONGEST = 300  # seconds that a block may take

#: says which line of a block failed
TRAP = "trap 'echo \"@line $LINENO\" >&2' ERR\n"


class GuideError(Exception):
    """A guide does not do what it says; tells its name, line, command and output."""


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Attributes:
        line, end: of the fences that open and close it, counted from 1.
    """

    language: str
    text: str
    line: int
    end: int
    attributes: Mapping[str, str] = field(default_factory=dict)

    @property
    def file(self) -> str:
        """The file that it is; empty for none."""
        return self.attributes.get("title", "")

    @property
    def runs(self) -> bool:
        return self.language == "bash" and not self.file and "norun" not in self.attributes


def blocks_of(guide: Path) -> list[Block]:
    """Raises GuideError for a block that could not be told from a mistake."""
    return list(_blocks(guide))


def _blocks(guide: Path) -> Iterator[Block]:
    lines = guide.read_text(encoding="utf-8").splitlines()
    opened: tuple[int, str, dict[str, str]] | None = None
    for number, line in enumerate(lines, start=1):
        found = FENCE.fullmatch(line)
        if found is None:
            continue
        indent, language, rest = found.groups()
        if opened is not None:
            begin, language, attributes = opened
            yield Block(language, "".join(f"{each}\n" for each in lines[begin : number - 1]), begin, number, attributes)
            opened = None
            continue
        attributes = {name: quoted or plain for name, quoted, plain in ATTRIBUTE.findall(rest)}
        if indent or ATTRIBUTE.sub("", rest).strip() or set(attributes) - KNOWN.get(language, set()) - {"title"}:
            raise GuideError(f'{guide.name}:{number}: {line!r} is not understood; write ```LANGUAGE NAME="TEXT"')
        if language in NOT_RUN and "title" not in attributes:
            raise GuideError(f"{guide.name}:{number}: commands are in blocks called bash, what they print in text")
        if attributes.get("norun") == "":
            raise GuideError(f"{guide.name}:{number}: norun needs a reason")
        opened = number, language, attributes
    if opened is not None:
        raise GuideError(f"{guide.name}:{opened[0]}: the block has no end")


def follow(guide: Path, folder: Path, environment: Mapping[str, str]) -> None:
    """Does all that a guide says, in a folder. Raises GuideError where something else happens."""
    blocks = blocks_of(guide)
    for number, block in enumerate(blocks):
        if block.file:
            place = folder / block.file
            if not place.resolve().is_relative_to(folder.resolve()):
                raise GuideError(f"{guide.name}:{block.line}: {block.file} is not in the guide's folder")
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(block.text, encoding="utf-8")
        elif block.runs:
            output = run_block(guide, block, folder, environment)
            behind = blocks[number + 1 : number + 2]
            if behind and behind[0].language == "text" and not behind[0].file and _adjacent(guide, block, behind[0]):
                _compare(guide, block, behind[0].text, output)


def _adjacent(guide: Path, block: Block, behind: Block) -> bool:
    """Whether only empty lines are between two blocks."""
    return not "".join(guide.read_text(encoding="utf-8").splitlines()[block.end : behind.line - 1]).strip()


def run_block(guide: Path, block: Block, folder: Path, environment: Mapping[str, str]) -> str:
    """Runs a block's commands, the first failing one being the last, and gives what they printed.

    Messages on stderr are given as well where the block is to fail. Raises GuideError for another exit code.
    """
    command = ["bash", "-euo", "pipefail", "-c", TRAP + block.text]
    run = partial(subprocess.run, command, cwd=folder, env=environment, input="", capture_output=True, text=True)
    try:
        done = run(timeout=LONGEST, check=False)
    except subprocess.TimeoutExpired as error:
        raise GuideError(f"{guide.name}:{block.line}: no end after {LONGEST} s\n{block.text}") from error
    wanted = int(block.attributes.get("exit", 0))
    messages = besides_progress(re.sub(r"@line \d+\n", "", done.stderr))
    if done.returncode != wanted:
        place = re.search(r"@line (\d+)\n", done.stderr)
        within = min(int(place[1]) - 1, block.text.count("\n")) if place else 1
        what = f"{guide.name}:{block.line + within}: {block.text.splitlines()[within - 1]}"
        raise GuideError(f"{what}\nexit code {done.returncode}, expected {wanted}\n{done.stdout}{messages}")
    return done.stdout + messages if wanted else done.stdout


def _compare(guide: Path, block: Block, expected: str, output: str) -> None:
    missing = first_difference(expected, output)
    if missing:
        raise GuideError(
            f"{guide.name}:{block.line}: {block.text}does not print {missing!r}; expected\n{expected}\nprinted\n{output}"
        )


def first_difference(expected: str, output: str) -> str:
    """The first expected line that is not printed in its place; "" if all are, and nothing else is."""
    wanted, printed = normal(expected), normal(output)
    if re.fullmatch("".join(map(_pattern, wanted)), "".join(f"{line}\n" for line in printed)):
        return ""
    for number, line in enumerate(wanted, start=1):
        beginning = "".join(map(_pattern, wanted[:number]))
        if not re.match(beginning, "".join(f"{line}\n" for line in printed)):
            return line
    return "nothing more"


def normal(text: str) -> list[str]:
    """The lines of an output without what differs from run to run: rules of tables, widths, times and names of runs."""
    lines = (RULES.sub(" ", line).strip() for line in text.splitlines())
    return [SECONDS.sub("TIME", RUN_NAME.sub("__RUN", line)) for line in lines if line]


def _pattern(line: str) -> str:
    return r"(?:.*\n)*?" if line == "..." else re.escape(line).replace(re.escape("..."), ".*") + r"\n"


def environment_in(folder: Path, **variables: str) -> dict[str, str]:
    """The environment of a user who has installed this checkout, with pip installing into a folder of its own.

    Args:
        folder: gets programs and what pip installs.
        variables: more of them.
    """
    programs, site = folder / "bin", folder / "site"
    programs.mkdir()
    for name, words in {"python": "", "mipha-eval": " -m mipha_eval", "pip": " -m pip"}.items():
        (programs / name).write_text(f'#!/bin/sh\nexec "{sys.executable}"{words} "$@"\n')
        (programs / name).chmod(0o755)
    kept = {name: value for name, value in os.environ.items() if name not in {"MIPHA_EVAL_OUT", "MIPHA_EVAL_DATA"}}
    # nothing is downloaded: packages are built with what is installed here
    pip = {"TARGET": str(site), "NO_DEPS": "1", "NO_INDEX": "1", "NO_BUILD_ISOLATION": "0", "DISABLE_PIP_VERSION_CHECK": "1"}
    return {
        **kept,
        "PATH": os.pathsep.join([str(programs), os.environ["PATH"]]),
        "PYTHONPATH": os.pathsep.join([str(site), str(ROOT)]),
        "COLUMNS": "160",
        "OMP_NUM_THREADS": "1",
        **{f"PIP_{name}": value for name, value in pip.items()},
        **variables,
    }
