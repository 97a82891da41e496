"""``mipha-eval view``."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated, Optional

import typer

from mipha_eval.cli import flags
from mipha_eval.cli.answer_flags import NO_ANSWERS, AnswerFlags
from mipha_eval.cli.completion import run_folders
from mipha_eval.cli.flag_groups import takes_flags
from mipha_eval.cli.standard_streams import lost_output
from mipha_eval.page.defaults import VIEW

logger = logging.getLogger(__name__)


@takes_flags()
def view_runs(
    runs: Annotated[
        list[Path],
        typer.Argument(
            autocompletion=run_folders, metavar="RUN", help="Folders of runs, or answer files; several are compared."
        ),
    ],
    answers: AnswerFlags = NO_ANSWERS,
    output: Annotated[
        Optional[Path], typer.Option("--output", "-o", help="The page; by default view.html in the run, of several here.")
    ] = None,
    megabytes: Annotated[
        float, typer.Option("--megabytes", min=1, help="How large the page may be; what does not fit is told.")
    ] = VIEW,
    serve: Annotated[bool, typer.Option("--serve", help="Serve the page, with everything, instead of writing it.")] = False,
    host: Annotated[
        str, typer.Option("--host", help="Where to serve; the default is for this machine alone.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Port to serve at; 0 takes a free one.")] = 8000,
    plugin: flags.Plugins = None,
) -> None:
    """Show runs, side by side down to single answers, as one page that needs no network."""
    from mipha_eval.core.plugins.registry import Registry
    from mipha_eval.page.server import serve_view
    from mipha_eval.page.static_view import ViewConfig, write_view

    registry = Registry(plugin or ())
    runs = answers.runs(runs, registry, results=False)
    if serve:
        serve_view(runs, host, port, registry, _tell_address)
        return
    written = write_view(ViewConfig(runs, output, megabytes), registry)
    for line in written.left_out:
        logger.warning("%s", line)
    print(f"view: {written.path}")


def _tell_address(url: str) -> None:
    """Raises typer.Exit where nobody can be told: none would find the server, which would go on."""
    print(f"view: {url} (Ctrl-C ends)", flush=True)
    if lost_output():
        raise typer.Exit
