"""The commands of README.md and docs/: where each stands, and what stands in for what is not here.

Commands are in blocks called ``sh`` or ``bash``, in ``run:`` lines of ``yaml`` blocks, and in backticks within a text.
A ``text`` block directly behind a block of commands is what the last of these prints. `STAND_INS` says what is replaced,
`NOT_RUN` what is not run.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml  # type: ignore[import-untyped]

from tests.guide import ATTRIBUTE, FENCE, ROOT, Block

#: pages whose commands are followed elsewhere, each by the test that does it
ELSEWHERE = {
    "cli.md": "written by docs/generate_cli.py from the flags themselves; tests/test_docs.py",
    "cluster.md": "tests/test_cluster_examples.py",
    "architecture.md": "no commands, only pictures of the code",
}
PAGES = [ROOT / "README.md", *(page for page in sorted((ROOT / "docs").glob("*.md")) if page.name not in ELSEWHERE)]

#: what stands in for models, data sets and judges that are not here; whatever names no data has the demo's
STAND_INS = {
    r"model (mipha|llava|hf-chat) -a path=\S+": "model mipha-tiny",
    r"--model (llava-1.5-7b|blip2-flan-t5-xl)\b": "--model mipha-tiny",
    r"check task NAME": "check task pope",
    r"(check|show) model NAME": r"\1 model mipha-tiny",
    r"\bTASK\b": "pope",
    r"\bFILE\b": "pope.jsonl",
    r"-a base_url=\S+|--judge-base-url \S+|--serve \".*\"": "",
    r"--model openai-api": "--model openai-api -a base_url=$OPENAI_BASE_URL",
    r"--judge (hf:\S+|NAME|MODEL|\.\.\.)": "--judge gpt-4o",
    r"(--judge-budget \w+usd)": r"\1 --judge-price 30,60",  # prices are known of OpenAI's own server alone
    r"-a spend=\w+usd": "-a spend=1000calls",
    r"--data (playground/data/eval|eval|FOLDER|\"?\$DATA\"?)(?!\S)": "--data demo",
    r"--(allow-bin|image-dir \S+|dtype \w+|device \w+)": "",
    r"--tasks all\b": "--tasks pope,mme",
    r"\.\.\.": "",
}
#: commands that are not run, and why; their flags are looked at all the same
NOT_RUN = {
    r"^make ": "sets up environments",
    r"^(pip|docker|git|cd) ": "installs, downloads or goes somewhere",
    r"^inspect view|^python -m lmms_eval": "programs of others",
    r"--workers|--cluster": "starts processes: tests/test_cluster_examples.py",
    r"^mipha-eval view .*--serve": "serves until it is stopped: tests/test_served_on_pages.py",
    r"lmms:": "needs lmms-eval: tests/test_lmms_eval.py",
    r"--as-published": "needs a model's own weights: tests/test_as_published.py",
    r"num_beams": "the embedded model has no beams: tests/test_generation_settings.py",
    r"^mipha-eval convert": "needs checkpoints of several layouts: tests/test_convert.py",
    r"^mipha-eval --(install|show)-completion": "is about the shell of who types it: tests/test_typed_in_bash.py",
    r"^mipha-eval certify": "tries thousands of answers: tests/test_certificates.py",
}
#: exit codes of what stands in, where the real thing would end with 0
ENDS_WITH = {
    r"pope.format=none": 3,  # the embedded model has learned the format line
    r"judge serve-check": 3,  # the judge of the test gives one grade to everything
    r"score .*--answers (?!playground)": 3,  # answers of a short run are not to all questions
}
#: official answer files, which need the official labels
OFFICIAL = "playground/data/eval/"
COMMANDS, INLINE = ("sh", "bash"), re.compile(r"`(mipha-eval [^`]+)`")


@dataclass(frozen=True)
class Command:
    """One line of a shell.

    Attributes:
        text: as it is written, in one line.
        exit: the exit code that it ends with.
        output: what it prints, if the page shows it.
    """

    page: Path
    line: int
    text: str
    exit: int = 0
    output: str = ""
    inline: bool = False

    @property
    def place(self) -> str:
        return f"{self.page.name}:{self.line}: {self.text}"

    @property
    def official(self) -> bool:
        """Whether it is about an official answer file."""
        return OFFICIAL in self.text

    @property
    def parts(self) -> list[str]:
        """What is run one after the other."""
        return [part.strip() for part in self.text.split("&&")]

    @property
    def ends_with(self) -> int:
        return next((code for pattern, code in ENDS_WITH.items() if re.search(pattern, self.text)), self.exit)


def why_not(part: str) -> str:
    """Why a command is not run; empty if it is."""
    return next((why for pattern, why in NOT_RUN.items() if re.search(pattern, part)), "")


def fenced(page: Path) -> list[Block]:
    """The fenced blocks of a page."""
    blocks, opened = [], 0
    lines = page.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines, start=1):
        found = FENCE.fullmatch(line)
        if found is None:
            continue
        if not opened:
            opened, language = number, found[2]
            attributes = {name: quoted or plain for name, quoted, plain in ATTRIBUTE.findall(found[3])}
        else:
            text = "".join(f"{each}\n" for each in lines[opened : number - 1])
            blocks.append(Block(language, text, opened, number, attributes))
            opened = 0
    assert not opened, f"{page.name}:{opened}: the block has no end"
    return blocks


def commands_of(page: Path) -> list[Command]:
    """All commands of a page, in their order."""
    return sorted([*_in_blocks(page), *_inline(page)], key=lambda command: command.line)


def _in_blocks(page: Path) -> Iterator[Command]:
    blocks = fenced(page)
    for block, behind in zip(blocks, [*blocks[1:], None], strict=False):
        if block.language == "yaml":
            yield from _steps(page, block)
        if block.language not in COMMANDS:
            continue
        shown = behind.text if behind and behind.language == "text" and behind.line <= block.end + 2 else ""
        lines = list(_lines(block))
        for number, text in lines:
            last = number == lines[-1][0]
            yield Command(page, number, text, int(block.attributes.get("exit", 0)) if last else 0, shown if last else "")


def _lines(block: Block) -> Iterator[tuple[int, str]]:
    begun = ""
    for number, line in enumerate(block.text.splitlines(), start=block.line + 1):
        begun += re.sub(r"(^|\s+)#\s.*$", "", line).strip()
        if begun.endswith("\\"):
            begun = begun[:-1]
        elif begun:
            yield number, begun
            begun = ""


def _steps(page: Path, block: Block) -> Iterator[Command]:
    for job in yaml.safe_load(block.text).get("jobs", {}).values():
        for step in job["steps"]:
            for text in str(step.get("run", "")).splitlines():
                yield Command(page, block.line, text)


def _inline(page: Path) -> Iterator[Command]:
    inside = {number for block in fenced(page) for number in range(block.line, block.end + 1)}
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), start=1):
        if number not in inside:
            yield from (Command(page, number, text, inline=True) for text in INLINE.findall(line))


def with_stand_ins(text: str) -> str:
    """A command that can be run here."""
    for pattern, replacement in STAND_INS.items():
        if not (OFFICIAL in text and "--data" in pattern):
            text = re.sub(pattern, replacement, text)
    return text


def words_of(text: str) -> list[str]:
    """As a shell makes them: variables and patterns of files are replaced."""
    words = shlex.split(os.path.expandvars(text), comments=True)
    return [each for word in words for each in (_matches(word) if "*" in word and ":" not in word else [word])]


def _matches(pattern: str) -> list[str]:
    """The files of a pattern; of one that ends in a slash the folders alone."""
    only = pattern.endswith("/")
    found = sorted(str(path) for path in Path().glob(pattern.rstrip("/")) if path.is_dir() or not only)
    return found or [pattern]
