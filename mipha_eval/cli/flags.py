"""Flags that mean the same in all verbs that have them, and how their values are read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from mipha_eval.cli.clean_output import own_output
from mipha_eval.cli.completion import kinds, one_of, scorers
from mipha_eval.cli.flag_groups import shared
from mipha_eval.core.controls import Control
from mipha_eval.core.errors import UserError
from mipha_eval.core.options import parse_pairs

if TYPE_CHECKING:
    from rich.console import Console

    from mipha_eval.core.json_value import Json as JsonValue

Options = Annotated[
    Optional[list[str]],
    shared(
        typer.Option("-a", "--model-args", help="Option of the model as key=value, of a task as TASK.key=value; repeatable.")
    ),
]
Data = Annotated[
    Optional[str],
    shared(
        typer.Option(
            "--data",
            autocompletion=one_of("demo", "hub"),
            help="A folder in LLaVA's layout, demo, hub:MIRROR or the default, hub; a preset may name its own.",
        )
    ),
]
Annotations = Annotated[
    Optional[Path],
    shared(typer.Option("--annotations", exists=True, help="An official annotation file in place of the task's own.")),
]
ImageDirs = Annotated[
    Optional[list[str]], shared(typer.Option("--image-dir", help="Where a task's images are, as TASK=DIR; repeatable."))
]
Columns = Annotated[
    Optional[str],
    shared(
        typer.Option("--columns", help="Of a table of questions: which column holds what, as question=query,answer=label.")
    ),
]
Kind = Annotated[
    Optional[str],
    shared(
        typer.Option(
            "--kind",
            autocompletion=kinds,
            help="Of a table of questions: yesno, choice, short, caption or open; else it is inferred.",
        )
    ),
]
Scorer = Annotated[
    Optional[str],
    shared(
        typer.Option(
            "--scorer", autocompletion=scorers, help="Of a table of questions: a stock scorer, such as circular or anls."
        )
    ),
]
LmmsInclude = Annotated[
    Optional[list[Path]],
    shared(
        typer.Option(
            "--lmms-include",
            exists=True,
            help="Of lmms: tasks: a folder with lmms-eval's YAML files of your own; repeatable.",
        )
    ),
]
Subset = Annotated[bool, shared(typer.Option("--subset", help="Leave out answers to questions that are not asked."))]
Plugins = Annotated[
    Optional[list[Path]],
    shared(typer.Option("--plugin", exists=True, help="A Python file with tasks or models; repeatable.")),
]
ControlName = Annotated[
    Optional[Control],
    shared(
        typer.Option(
            "--control",
            help="Ask without what a model ought to need: a grey picture, the mean of the benchmark's pictures, another "
            "question's picture, or the format line in place of the question; a run of its own, beside the model's.",
        )
    ),
]
BatchSize = Annotated[
    str, shared(typer.Option("--batch-size", "-b", autocompletion=one_of("auto"), help="Requests a batch, or auto."))
]
Device = Annotated[
    Optional[str],
    shared(
        typer.Option("--device", autocompletion=one_of("auto", "cpu", "cuda", "mps"), help="auto, cpu, cuda, cuda:1 or mps.")
    ),
]
Dtype = Annotated[
    Optional[str],
    shared(
        typer.Option(
            "--dtype",
            autocompletion=one_of("auto", "float32", "bfloat16", "float16"),
            help="auto, float32, bfloat16 or float16.",
        )
    ),
]
NoShare = Annotated[
    bool, shared(typer.Option("--no-share", help="Do not share the work on an image between its questions."))
]
Compile = Annotated[bool, shared(typer.Option("--compile", help="Compile the model's layers first; pays off in long runs."))]
AllowBin = Annotated[
    bool,
    shared(
        typer.Option(
            "--allow-bin", help="Read weights in torch's own format (.bin), as data alone, where there are no others."
        )
    ),
]
Serve = Annotated[
    Optional[str],
    shared(
        typer.Option(
            "--serve", help="Of openai-api: a command with {port} that starts the server, stopped when the run ends."
        )
    ),
]
AsPublished = Annotated[
    bool,
    shared(
        typer.Option("--as-published", help="Of a preset: ask it as its paper or card asked it, in columns of their own.")
    ),
]
Threads = Annotated[Optional[int], shared(typer.Option("--threads", min=1, help="CPU threads of the model."))]
Fresh = Annotated[bool, shared(typer.Option("--fresh", help="Start anew instead of going on from what is stored."))]
Json = Annotated[bool, shared(typer.Option("--json", help="Print JSON and nothing else."))]


def option_texts(pairs: Sequence[str] | None) -> dict[str, str]:
    """Reads KEY=VALUE pairs. Raises UserError."""
    try:
        return parse_pairs(pairs or ())
    except UserError as error:
        raise UserError(str(error), flag="-a") from error


def image_dirs(pairs: Sequence[str] | None) -> dict[str, Path]:
    """Reads TASK=DIR pairs; raises UserError for a folder that does not exist."""
    found = {}
    for pair in pairs or ():
        name, equals, folder = pair.partition("=")
        if not equals or not Path(folder).is_dir():
            raise UserError(f"--image-dir {pair}: expected TASK=DIR with an existing folder")
        found[name] = Path(folder)
    return found


def with_table(names: Sequence[str], columns: str | None, kind: str | None, scorer: str | None) -> list[str]:
    """Names of tasks, with what flags say of those that are tables of questions.

    Raises:
        UserError: flags say something, and no task is a table.
    """
    from mipha_eval.core.plugins.references import Reference, is_table

    listed = columns.split(",") if columns else []
    pairs = parse_pairs(listed)
    if len(pairs) < len(listed):
        raise UserError(f"--columns {columns}: something is named twice")
    given = {**pairs, **{key: text for key, text in (("kind", kind), ("scorer", scorer)) if text is not None}}
    if given and not any(map(is_table, names)):
        flag = "--columns" if columns else "--kind" if kind else "--scorer"
        raise UserError(f"{flag} is of a table of questions, and no task is one; name it as jsonl:FILE")
    return [str(Reference.of(name).updated(given)) if given and is_table(name) else name for name in names]


def with_include(names: Sequence[str], folders: Sequence[Path] | None) -> list[str]:
    """Names of tasks, with the user's own folders for those that are lmms-eval's.

    Raises:
        UserError: there are folders, and no task is lmms-eval's.
    """
    from mipha_eval.core.plugins.references import Reference, is_suites

    if not folders:
        return list(names)
    if not any(map(is_suites, names)):
        raise UserError("--lmms-include is of lmms-eval's tasks, and no task is one; name it as lmms:TASK")
    given = {"include": ",".join(map(str, folders))}
    return [str(Reference.of(name).updated(given)) if is_suites(name) else name for name in names]


def batch_size(text: str) -> int | None:
    """Reads ``auto`` or a positive number."""
    if text == "auto":
        return None
    if not (text.isascii() and text.isdecimal()) or int(text) < 1:
        raise UserError(f"--batch-size {text}: expected auto or a positive number")
    return int(text)


def model_options(
    device: str | None, dtype: str | None, no_share: bool, compile: bool, allow_bin: bool, serve: str | None
) -> dict[str, str]:
    """Options of the model that have flags of their own, as far as these were given."""
    switches = [("share", "false", no_share), ("compile", "true", compile), ("allow_bin", "true", allow_bin)]
    given = {"device": device, "dtype": dtype, "serve": serve, **{key: text for key, text, asked in switches if asked}}
    return {key: text for key, text in given.items() if text is not None}


def limit_threads(count: int | None) -> None:
    """Sets the CPU threads of whatever library the model uses; must come before it is imported."""
    import os

    if count is not None:
        os.environ["OMP_NUM_THREADS"] = str(count)


def console() -> Console:
    """A terminal, or plain lines wide enough for a table where there is none and nobody says how wide they may be."""
    import os

    from rich.console import Console

    found = Console()
    return found if found.is_terminal or "COLUMNS" in os.environ else Console(width=130)


def print_json(value: JsonValue) -> None:
    """Writes JSON to standard output."""
    output = own_output()
    json.dump(value, output, indent=2)
    output.write("\n")
