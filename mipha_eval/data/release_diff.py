"""What rows of a benchmark have in common with a recorded release, and what not, said line by line."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Literal

from mipha_eval.data.releases import Release, Row, describe, split_marks

Kind = Literal["ok", "differs", "unknown", "note"]
Mark = tuple[bytes | None, bytes | None]  # of question and labels of one row, see Release

NO_RECORD = "no record of this release to compare ids, labels and questions with"


@dataclass(frozen=True)
class Finding:
    """One line: what is right, what differs, what could not be compared, or what is only worth knowing."""

    kind: Kind
    text: str


@dataclass(frozen=True)
class Alignment:
    """Rows here and in the release laid side by side by their marks; numbers are places in the sorted lists.

    Attributes:
        same: place in the release -> place here, of rows with equal marks.
        gone: of the release, not here.
        foreign: here, not of the release.
        relabelled: here, with the question of the release but other labels.
        reworded: here, with the labels of the release but another question.
    """

    same: dict[int, int] = field(default_factory=dict)
    gone: list[int] = field(default_factory=list)
    foreign: list[int] = field(default_factory=list)
    relabelled: list[int] = field(default_factory=list)
    reworded: list[int] = field(default_factory=list)


def compare_with_nearest(
    rows: Sequence[Row], releases: Sequence[Release], published: Sequence[int]
) -> tuple[str, list[Finding]]:
    """The source of the recorded release that the rows are most like, "" if there is none, and the findings.

    Args:
        rows: sorted, see `rows_of`.
        published: how many rows the known releases have, recorded or not.
    """
    recorded = [release.rows for release in releases]
    if not recorded or (len(rows) in published and len(rows) not in recorded):
        return "", [_published(len(rows), published), *ids_twice(rows), Finding("unknown", NO_RECORD)]
    findings = {release.source: compare(rows, release) for release in releases}
    nearest = min(findings, key=lambda source: sum(finding.kind == "differs" for finding in findings[source]))
    return nearest, findings[nearest]


def compare(rows: Sequence[Row], release: Release) -> list[Finding]:
    """Sorted rows against one release."""
    ours = describe(rows, first_only=release.first_only)
    if ours.rows == release.rows:
        size = Finding("ok", f"rows {ours.rows:,}")
    else:
        size = Finding("differs", f"rows {ours.rows:,}, official {release.rows:,}")
    findings = [size, *ids_twice(rows)]
    if ours.ids == release.ids:
        findings += [Finding("ok", "ids"), _labels(rows, ours, release), _questions(rows, ours, release)]
    else:
        findings += _other_ids(rows, ours, release)
    comparable = bool(release.everything) and bool(release.labels) == bool(ours.labels)
    if comparable and all(finding.kind != "differs" for finding in findings):
        same = ours.everything == release.everything
        findings.append(Finding("ok", "image names") if same else Finding("differs", "image names differ"))
    return findings


def ids_twice(rows: Sequence[Row]) -> list[Finding]:
    """A finding if ids are not unique."""
    twice = _names_twice(rows)
    if not twice:
        return []
    text = f"1 id twice: {twice[0]}" if len(twice) == 1 else f"{len(twice):,} ids twice, first {twice[0]}"
    return [Finding("differs", text)]


def _names_twice(rows: Sequence[Row]) -> list[str]:
    return [name for name, count in Counter(row.id for row in rows).items() if count > 1]


def _published(rows: int, published: Sequence[int]) -> Finding:
    if not published:
        return Finding("unknown", f"rows {rows:,}; how many were published is not known")
    if rows in published:
        return Finding("ok", f"rows {rows:,}, as published")
    return Finding("differs", f"rows {rows:,}, official {' or '.join(f'{count:,}' for count in published)}")


def _labels(rows: Sequence[Row], ours: Release, release: Release) -> Finding:
    if not release.labels:
        return Finding("note", "labels are not in the record, so not compared")
    counts = _counts(ours, release)
    if ours.labels == release.labels:
        only = " (the record has no options)" if release.first_only else ""
        return Finding("ok", _colon(f"labels{only}", counts))
    text = _where_differ("labels", rows, split_marks(ours.label_marks), split_marks(release.label_marks))
    return Finding("differs", _colon(text, counts if ours.counts != release.counts else ""))


def _questions(rows: Sequence[Row], ours: Release, release: Release) -> Finding:
    if not release.questions:
        return Finding("note", "questions are not in the record, so not compared")
    if ours.questions == release.questions:
        return Finding("ok", "questions")
    here, official = split_marks(ours.question_marks), split_marks(release.question_marks)
    return Finding("differs", _where_differ("questions", rows, here, official))


def _where_differ(what: str, rows: Sequence[Row], here: Sequence[bytes], official: Sequence[bytes]) -> str:
    """In how many rows they differ, and the first of these, where rows have the same ids in the same order."""
    if not here and official:
        return f"{what} differ: there are none here"
    differing = [row.id for row, mark, other in zip(rows, here, official, strict=False) if mark != other]
    if not differing:  # too many rows for marks, or the one chance in 65,536 that a mark is the same
        return f"{what} differ"
    return f"{what} differ in {_rows(len(differing))}, first {differing[0]}"


def _other_ids(rows: Sequence[Row], ours: Release, release: Release) -> list[Finding]:
    """Findings where the ids are not those of the release."""
    counts = _counts(ours, release)
    note = [Finding("note", f"labels: {counts}")] if counts else []
    aligned = align(_marks(ours, release), _marks(release, release))
    if len(aligned.same) < release.rows / 2:
        return [Finding("differs", "ids differ, in too many rows to compare the others one by one"), *note]
    twice = set(_names_twice(rows))
    foreign = [rows[number].id for number in aligned.foreign if rows[number].id not in twice]
    findings = []
    if foreign:
        findings.append(Finding("differs", f"{_rows(len(foreign))} not in the official release, first {foreign[0]}"))
    if aligned.gone:
        before = [number for number in aligned.same if number < aligned.gone[0]]
        place = f"after {rows[aligned.same[max(before)]].id}" if before else "before all others"
        missing = f"{_rows(len(aligned.gone))} of the official release missing, first one {place} in the order of ids"
        findings.append(Finding("differs", missing))
    for what, changed in (("labels", aligned.relabelled), ("questions", aligned.reworded)):
        if changed:
            findings.append(Finding("differs", f"{what} differ in {_rows(len(changed))}, first {rows[changed[0]].id}"))
    parts = [what for what, known in (("questions", release.questions), ("labels", release.labels)) if known]
    return [*findings, Finding("ok", f"{' and '.join(parts)} of the other {_rows(len(aligned.same))}"), *note]


def _marks(described: Release, release: Release) -> list[Mark]:
    """A pair for each row, None in it where the release has no marks."""
    asked = split_marks(described.question_marks) if release.question_marks else []
    labelled = split_marks(described.label_marks) if release.label_marks else []
    return [*itertools.zip_longest(asked, labelled)]


def align(here: Sequence[Mark], official: Sequence[Mark]) -> Alignment:
    """Lays two sorted lists side by side. Marks are short, so it is their order that makes them sure."""
    found = Alignment()
    for _, start, end, first, last in SequenceMatcher(None, official, here, autojunk=False).get_opcodes():
        gap, left = list(range(start, end)), list(range(first, last))
        if official[start:end] == here[first:last]:
            found.same.update(zip(gap, left, strict=True))
            continue
        for part, changed in ((0, found.relabelled), (1, found.reworded)):
            places = {official[number][part]: number for number in reversed(gap)}
            for number in left:
                mark = here[number][part]
                if mark is not None and mark in places:
                    changed.append(number)
                    gap.remove(places.pop(mark))
            paired = set(changed)
            left = [number for number in left if number not in paired]
        found.gone.extend(gap)
        found.foreign.extend(left)
    return found


def _counts(ours: Release, release: Release) -> str:
    """How often each label occurs, with the official number where that is another; "" where nobody counts."""
    texts = []
    for label in {**release.counts, **ours.counts} if release.counts else ():
        here, official = ours.counts.get(label, 0), release.counts.get(label, 0)
        texts.append(f"{label} {here:,}" + ("" if here == official else f" (official {official:,})"))
    return ", ".join(texts)


def _colon(text: str, more: str) -> str:
    return f"{text}: {more}" if more else text


def _rows(count: int) -> str:
    return f"{count:,} row{'' if count == 1 else 's'}"
