"""``mipha-eval leaderboard``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mipha_eval.cli import flags


def write_site(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder; every run below it is shown.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="SITE", help="The folder that the site is written into.")
    ],
    megabytes: Annotated[
        float, typer.Option("--megabytes", min=1, help="How large a run's page may be; what does not fit is told.")
    ] = 30,
    plugin: flags.Plugins = None,
) -> None:
    """Rank all runs of a folder, as far as they may be ranked, as a static site that needs no network."""
    from mipha_eval.core.plugins.registry import Registry
    from mipha_eval.page.leaderboard import LeaderboardConfig, write_leaderboard

    print(f"leaderboard: {write_leaderboard(LeaderboardConfig(folder, output, megabytes), Registry(plugin or ()))}")
