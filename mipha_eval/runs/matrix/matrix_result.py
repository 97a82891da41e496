"""What became of a matrix: its runs, the reasons where there is none, and a table of all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from mipha_eval.core.atomic import write_text
from mipha_eval.core.errors import UserError
from mipha_eval.core.plugins.registry import Registry
from mipha_eval.reporting.lacking import Lacking
from mipha_eval.reporting.make import Report, ReportSettings, make_report
from mipha_eval.reporting.row_setting import RowSetting
from mipha_eval.runs.matrix.matrix import Matrix
from mipha_eval.runs.matrix.run_matrix import Outcome
from mipha_eval.runs.stored_run import Run, read_run

#: what the table is written as, by the ending of the file
ENDINGS = {"md": "md", "tex": "latex"}


@dataclass(frozen=True)
class MatrixRun:
    """A run of a matrix.

    Attributes:
        name: what tables call it.
        run: with what was asked for; None if it has no result.
        failures: why tasks have no result, by label, or under "" why none has.
        flag: what mends that on a command line.
        stopped: whether it is the user who stopped it.
    """

    name: str
    run: Run | None
    failures: dict[str, str] = field(default_factory=dict)
    flag: str = ""
    stopped: bool = False

    @property
    def unfinished(self) -> bool:
        """Whether questions were not reached."""
        return self.run is not None and any(result.summary.missing for result in self.run)

    @property
    def complete(self) -> bool:
        """Whether nothing is missing."""
        return self.run is not None and self.run.complete and not self.failures

    @property
    def reason(self) -> str:
        """Why it is not there, or not whole, in a line; "" where nothing failed."""
        alike: dict[str, list[str]] = {}
        for label, why in self.failures.items():
            alike.setdefault(why, []).append(label)
        return "; ".join(f"{', '.join(labels)}: {why}" if any(labels) else why for why, labels in alike.items())


@dataclass(frozen=True, repr=False)
class MatrixResult:
    """Many models on the same tasks.

    Attributes:
        runs: of all that were listed, in their order.
        tasks: their labels.
        plugins: files with tasks or models.
        tables: the files with the table; none if there is no result.
    """

    runs: Sequence[MatrixRun]
    tasks: Sequence[str]
    plugins: Sequence[Path] = ()
    tables: Sequence[Path] = ()

    @classmethod
    def of(cls, matrix: Matrix, outcomes: Sequence[Outcome]) -> MatrixResult:
        """Reads what is stored of each run."""
        plugins = [Path(each) for each in matrix.shared.plugins]
        registry, labels = Registry(plugins), [task.label for task in matrix.tasks]
        return cls([matrix_run(each, labels, registry) for each in outcomes], labels, plugins)

    def __iter__(self) -> Iterator[MatrixRun]:
        return iter(self.runs)

    def __len__(self) -> int:
        return len(self.runs)

    def __getitem__(self, name: str) -> Run:
        """A run by what tables call it. Raises KeyError with the names that there are, or why it has no result."""
        found = next((each for each in self.runs if each.name == name), None)
        if found is None:
            raise KeyError(f"no run is called {name}; there are {', '.join(each.name for each in self.runs)}")
        if found.run is None:
            raise KeyError(f"{name} has no result: {found.reason}")
        return found.run

    @property
    def complete(self) -> bool:
        """Whether every run is, and nothing failed."""
        return all(each.complete for each in self.runs)

    @property
    def failures(self) -> dict[str, str]:
        """Why runs have no result, or not all, by name."""
        return {each.name: each.reason for each in self.runs if each.reason}

    def report(self, *, table: str | Path | None = None, format: str = "md", intervals: bool = False) -> str:  # noqa: A002 - the word that users know
        """The table of all runs as md, latex, html, csv or json; what failed stands in its place with the reason.

        Args:
            table: a bundled one or a TOML file; None for the headline of every task.
            intervals: 95 % intervals as subscripts.

        Raises:
            UserError: there is no result at all, or no such table or format.
        """
        return self._made(None if table is None else str(table), intervals).text(format)

    def written(self, folder: Path, stem: str) -> MatrixResult:
        """Writes the table, for people and for a paper."""
        files = [folder / f"{stem}.{ending}" for ending in ENDINGS]
        for file, kind in zip(files, ENDINGS.values(), strict=True):
            write_text(file, self.report(format=kind))
        return replace(self, tables=files)

    def _made(self, table: str | None, intervals: bool) -> Report:
        there = [each for each in self.runs if each.run is not None]
        if not there:
            raise UserError("no model has a result, so there is no table")
        names = [RowSetting(str(number), "name", each.name) for number, each in enumerate(there, start=1)]
        lacking = [
            Lacking(place, each.name, each.reason, whole=each.run is None)
            for place, each in enumerate(self.runs)
            if each.reason or each.run is None
        ]
        runs = [each.run.path for each in there if each.run is not None]
        settings = ReportSettings(runs, table, intervals, rows=names, tasks=self.tasks, lacking=lacking)
        return make_report(settings, Registry(self.plugins))

    def __repr__(self) -> str:
        return "\n".join(f"<{each.name}: {each.reason}>" if each.run is None else repr(each.run) for each in self.runs)


def matrix_run(outcome: Outcome, labels: Sequence[str], registry: Registry) -> MatrixRun:
    """A run with what is stored of it, of the tasks that were asked for."""
    ended, run = outcome.ended, None
    failures = dict(ended.failed)
    if outcome.folder is not None:
        try:
            found = read_run(Path(outcome.folder), registry)
            run = replace(found, results=[result for result in found if result.task in labels])
        except UserError as error:
            failures = failures or {"": ended.reason or str(error)}
    if run is not None and not run.results:
        run = None
    if ended.reason:
        failures = {"": ended.reason}
    return MatrixRun(outcome.planned.label, run, failures, ended.flag, ended.stopped)
