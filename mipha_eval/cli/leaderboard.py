"""``mipha-eval leaderboard``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mipha_eval.cli import flags
from mipha_eval.cli.answer_flags import NO_ANSWERS, AnswerFlags
from mipha_eval.cli.flag_groups import takes_flags
from mipha_eval.page.defaults import SITE_RUN


@takes_flags()
def write_site(
    folders: Annotated[
        list[Path],
        typer.Argument(metavar="DIR", help="Folders, every run below which is shown, or answer files; repeatable."),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="SITE", help="The folder that the site is written into.")
    ],
    megabytes: Annotated[
        float, typer.Option("--megabytes", min=1, help="How large a run's page may be; what does not fit is told.")
    ] = SITE_RUN,
    answers: AnswerFlags = NO_ANSWERS,
    plugin: flags.Plugins = None,
) -> None:
    """Rank all runs of a folder, as far as they may be ranked, as a static site that needs no network."""
    from mipha_eval.core.plugins.registry import Registry
    from mipha_eval.page.leaderboard import LeaderboardConfig, write_leaderboard

    registry = Registry(plugin or ())
    config = LeaderboardConfig(answers.runs(folders, registry, results=False), output, megabytes)
    print(f"leaderboard: {write_leaderboard(config, registry)}")
