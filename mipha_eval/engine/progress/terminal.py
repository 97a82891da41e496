"""Progress on a terminal: a row a task, below whatever is said meanwhile; gone when it is done."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack

from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.text import Text

from mipha_eval.engine.progress.console import messages_on
from mipha_eval.engine.progress.display import View
from mipha_eval.engine.progress.foreign_output import ForeignOutput
from mipha_eval.engine.progress.rows import LINE, PLAIN_LINE, rows_of
from mipha_eval.engine.progress.wording import stage_line, worker_lines

SECONDS_BETWEEN_VIEWS = 0.5
NOTHING = View((), (), 0.0)


class SteadyConsole(Console):
    """Leaves the cursor where it can be seen: a process that is killed could not bring it back."""

    def show_cursor(self, show: bool = True) -> bool:
        return False


class TerminalRows:
    """What is under way, a row a task, a line a worker."""

    def __init__(self) -> None:
        self.pause = SECONDS_BETWEEN_VIEWS
        self._view = NOTHING
        self._foreign = ForeignOutput()
        self._kept = ExitStack()
        self._breakpoint = sys.breakpointhook

    def open(self) -> None:
        file = os.fdopen(self._foreign.take(), "w", encoding=sys.stderr.encoding, errors="replace", closefd=False)
        console = SteadyConsole(file=file, force_terminal=True)
        self._live = Live(
            console=console,
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
            get_renderable=lambda: self,
        )
        self._kept.callback(self._end)
        self._kept.enter_context(messages_on(console))
        self._kept.enter_context(self._live)
        sys.breakpointhook = self._stop_for_debugger

    def show(self, view: View) -> None:
        self._view = view
        if self._live.is_started:
            self._say(self._foreign.lines())
            self._live.refresh()

    def close(self) -> None:
        sys.breakpointhook = self._breakpoint
        self._view = NOTHING
        self._kept.close()

    def _end(self) -> None:
        sys.stderr.write(self._foreign.give_back())
        sys.stderr.flush()

    def _stop_for_debugger(self, *arguments: object, **options: object) -> object:
        """Whoever debugs needs the terminal, so there are no more rows."""
        self.close()
        return self._breakpoint(*arguments, **options)

    def _say(self, said: str) -> None:
        """Of a line that was written again and again, as bars of others are, the last one."""
        for line in said.removesuffix("\n").split("\n") if said else ():
            self._live.console.print(Text.from_ansi(line.rstrip("\r").rpartition("\r")[2]), soft_wrap=True)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        view = self._view
        if view.stages:
            yield Text(stage_line(view.stages, view.now), style="dim", no_wrap=True, overflow="ellipsis")
        room = options.size.height - 2 - len(view.stages[:1])
        for progress in view.progress:
            workers = worker_lines(progress.workers())
            for row in rows_of(progress, view.now, options.max_width, max(room - len(workers), 1)):
                row.plain = row.plain.replace(LINE, PLAIN_LINE) if options.ascii_only else row.plain
                yield row
            yield from (Text(line, no_wrap=True, overflow="ellipsis") for line in workers)
