"""Rows of measured results: run folders, and files that ``score --json`` printed."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from mipha_eval.core.errors import UserError
from mipha_eval.reporting.definition import SIZE
from mipha_eval.reporting.factors import OTHER_NAMES
from mipha_eval.reporting.gpu_hours import GpuHours, gpu_hours
from mipha_eval.reporting.model_size import billions, noted_size
from mipha_eval.reporting.row_setting import RowSetting
from mipha_eval.scoring.result_record import ResultRecord
from mipha_eval.store.manifest import Manifest
from mipha_eval.store.quoted import read_quoted
from mipha_eval.store.results import choose_result, read_printed, read_result
from mipha_eval.store.run_folder import RunFolder
from mipha_eval.store.run_names import file_name, given_order, run_names
from mipha_eval.store.task_folder import TaskFolder

#: what is said of a model's weights that somebody chose; the rest, such as a digest, is of this model alone
CHOSEN = ("dtype", "attention", "generation", "left_out")


@dataclass(frozen=True)
class StoredResult:
    """What ``result.json`` says, and where it stands.

    Attributes:
        place: before the keys, ``2/`` in a file with several results.
        run: the run's folder; None for what ``score --json`` printed.
        quoted: who says so, where it is another suite's result; else "".
    """

    content: ResultRecord
    file: Path
    place: str = ""
    run: Path | None = None
    quoted: str = ""

    @property
    def label(self) -> str:
        return self.content.quantity


@dataclass(frozen=True)
class Measured:
    """What will be a row: results of one model.

    Attributes:
        results: by ``task@protocol``.
        facts: what is known of the model, by field, as it is shown.
        size: billions of parameters; None if not known.
        given: those of the facts that the user gave.
        own: those of the facts that are of this model alone, such as a digest, and were not chosen.
        named: whether the user gave the name.
        identity: what must be the same for another run to be of the same model.
        sources: the paths that were given.
        manifest: of the first run; None for a file.
        machine: what it was measured on; "" where nobody knows.
        remarks: what stands in footnotes on all of it.
        gpu_hours: of its runs, whatever of their tasks is shown; None where no GPU was used, or nobody knows.
    """

    name: str
    results: Mapping[str, StoredResult]
    facts: Mapping[str, str] = field(default_factory=dict)
    size: float | None = None
    given: frozenset[str] = frozenset()
    own: frozenset[str] = frozenset()
    named: bool = False
    identity: str = ""
    sources: tuple[Path, ...] = ()
    manifest: Manifest | None = None
    machine: str = ""
    remarks: tuple[str, ...] = ()
    gpu_hours: GpuHours | None = None

    @property
    def quoted(self) -> bool:
        """Whether nothing of it was measured here, but another suite says so."""
        return bool(self.results) and all(result.quoted for result in self.results.values())

    def only(self, labels: Collection[str]) -> Measured:
        """The same row with the results of these tasks alone."""
        return replace(self, results={label: result for label, result in self.results.items() if label in labels})


def read_measured(paths: Sequence[Path], settings: Sequence[RowSetting], more: Sequence[Path] = ()) -> list[Measured]:
    """Rows of runs; those of one name, or else of one model, are one row.

    Args:
        paths: run folders, and files with what ``score --json`` printed, or with lmms-eval's results.
        settings: what the user says of rows.
        more: further run folders, of which no setting is.

    Raises:
        UserError: a path is neither, a result is damaged, a setting is about no run, or two runs of a row have one task.
    """
    rows = [_read(path) for path in paths]
    for setting in settings:
        for place in setting.places(paths):
            rows[place] = _with_fact(rows[place], setting.key, setting.value)
    rows = [rows[place] for place in given_order(paths)]
    return _apart(_merged([*rows, *map(_read, more)]))


def _read(path: Path) -> Measured:
    if not path.is_dir():
        return _read_file(path)
    folder = RunFolder.open(path)
    manifest = folder.manifest()
    labels = [label for label in folder.tasks() if folder.results_of(label)]
    results = [_chosen(folder.task(label), path) for label in labels]
    if not results:
        raise UserError(f"{path} has no finished task; the same command that began it goes on")
    identity: list[object] = [manifest.model, manifest.options, manifest.weights, manifest.asked_under]
    identity += filter(None, [manifest.asking, manifest.as_published])
    return Measured(
        run_names([(path, manifest)])[0],
        _by_label(results),
        _facts(manifest),
        noted_size(manifest),
        own=frozenset(manifest.weights.keys() - {*CHOSEN, *manifest.options, *manifest.about}),
        identity=json.dumps(identity, sort_keys=True),
        sources=(path,),
        manifest=manifest,
        machine=", ".join(filter(None, [manifest.machine, str(manifest.weights.get("device", ""))])),
        gpu_hours=gpu_hours(folder),
    )


def _chosen(place: TaskFolder, run: Path) -> StoredResult:
    """The run's own result of a task; where a run that was judged went on without its judge, the judge's."""
    files = place.result_files()
    results = list(map(read_result, files))
    chosen = choose_result(results)
    return StoredResult(chosen, files[results.index(chosen)], run=run)


def _read_file(path: Path) -> Measured:
    name = file_name(path)
    quoted = read_quoted(path)
    if quoted is not None:
        results = [StoredResult(each, path, quoted=f"{quoted.source}, {path.name}") for each in quoted.records]
        return Measured(quoted.model or name, _by_label(results), identity=str(path), sources=(path,))
    try:
        found, listed = read_printed(path)
    except UserError as error:
        raise UserError(f"{error}; if it holds answers, say to which task", flag=error.flag or "--task") from error
    results = [StoredResult(each, path, f"{number}/" if listed else "") for number, each in enumerate(found)]
    return Measured(name, _by_label(results), identity=str(path), sources=(path,))


def _by_label(results: Sequence[StoredResult]) -> dict[str, StoredResult]:
    found = {result.label: result for result in results}
    if len(found) < len(results):
        raise UserError(f"{results[0].file} has several results of one task; give each in a file of its own")
    return found


def _facts(manifest: Manifest) -> dict[str, str]:
    """What the manifest says of the model: its options, and what they came to."""
    facts = {"blind": str(manifest.blind).lower(), **({"control": str(manifest.control)} if manifest.control else {})}
    for part in (manifest.options, manifest.weights, manifest.about):
        facts |= {key: str(value) for key, value in part.items()}
    if manifest.asking:
        facts["asking"] = ", ".join(f"{key} {value}" for key, value in manifest.asking.items())
    size = noted_size(manifest)
    if size is not None:
        facts[SIZE] = f"{size:.3g}"
    return facts


def _with_fact(row: Measured, key: str, value: str) -> Measured:
    if key == "name":
        return replace(row, name=value, named=True)
    size = billions(value) if key == SIZE else row.size
    if key == SIZE and size is None:
        raise UserError(f"row setting {SIZE}={value}: expected a number of billions, such as 3 or 0.5", flag="--row")
    facts = {name: text for name, text in row.facts.items() if name != OTHER_NAMES.get(key)}
    return replace(row, size=size, facts={**facts, key: value}, given=row.given | {key})


def _merged(rows: Iterable[Measured]) -> list[Measured]:
    """Runs of one row put together, in the order in which its first was given."""
    merged: dict[str, Measured] = {}
    for row in rows:
        key = f"named {row.name}" if row.named else f"{row.name} {row.identity}"
        before = merged.get(key)
        shared = sorted(before.results.keys() & row.results.keys()) if before else []
        if before is None:
            merged[key] = row
        elif not shared:
            merged[key] = replace(
                before,
                results={**before.results, **row.results},
                facts={**before.facts, **row.facts},
                size=before.size if row.size is None else row.size,
                given=before.given | row.given,
                own=before.own | row.own,
                sources=(*before.sources, *row.sources),
                remarks=(*before.remarks, *row.remarks),
                gpu_hours=_added(before.gpu_hours, row.gpu_hours),
            )
        elif row.named:
            both = " and ".join(str(each.results[shared[0]].file) for each in (before, row))
            raise UserError(f"row {row.name}: {both} are both {shared[0]}; leave one out, or give it a name of its own")
        else:
            merged[f"{key} {row.sources[0]}"] = row
    return list(merged.values())


def _added(first: GpuHours | None, second: GpuHours | None) -> GpuHours | None:
    return first + second if first and second else first or second


def _apart(rows: Sequence[Measured]) -> list[Measured]:
    """Rows with names of their own: runs as `run_names` says; behind other names that are the same stands their path."""
    runs = [(place, row.manifest) for place, row in enumerate(rows) if row.manifest is not None and not row.named]
    names = run_names([(rows[place].sources[0], manifest) for place, manifest in runs])
    called = dict(zip([place for place, _ in runs], names, strict=True))
    rows = [replace(row, name=called.get(place, row.name)) for place, row in enumerate(rows)]
    count = Counter(row.name for row in rows)
    return [
        replace(row, name=f"{row.name} ({row.sources[0]})") if count[row.name] > 1 and not row.named else row for row in rows
    ]
