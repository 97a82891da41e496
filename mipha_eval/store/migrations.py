"""Records of earlier formats as those of today. Format 1 is that of 0.1.0; a run that goes on holds both in one file.

Which format a record has is told by its fields, since lines of both may follow one another.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from mipha_eval.core.alphabet import LETTERS
from mipha_eval.core.json_value import Json
from mipha_eval.core.provenance import JUDGE, RULE, TOKENIZER

#: format of run folders that this version writes
FORMAT = 2

Row = Mapping[str, Json]

SAMPLE = {"question": "prompt", "bare": "question", "parts": "tags"}
TASK = {"standing": "run_context"}
RESULT = {"robust": "lenient", "robust_moves": "lenient_moves"}
CHECK = {"alone": "reference"}

#: what made the metrics of results that were written before they said so, beside judges
MADE_BEFORE = ((RULE, "rule"), (TOKENIZER, "ptb"), (TOKENIZER, "treebank"))
NAME_BEFORE = re.compile(r"(?P<metric>.+?)\[(?P<judge>.+)\]")


def renamed(row: Json, names: Mapping[str, str]) -> Json:
    """A record with fields of format 1 under their names of today; anything else, such as a damaged one, as it is."""
    if not isinstance(row, dict) or names.keys().isdisjoint(row):
        return row
    return {names.get(name, name): value for name, value in row.items()}


def migrated_samples(rows: Sequence[Row]) -> Sequence[Row]:
    """Lines of ``samples.jsonl``. In format 1 ``references`` held, where there are options, the letter and the options."""
    old = [row for row in rows if "references" in row]
    lettered = bool(old) and all(map(_is_lettered, old))
    return [_sample(row, lettered=lettered) if "references" in row else row for row in rows]


def _is_lettered(row: Row) -> bool:
    """Whether the first reference is the letter of one of the others; true of every line of a task with options."""
    references = row["references"]
    if not isinstance(references, list) or len(references) == 1:
        return False
    return not references or (isinstance(references[0], str) and references[0] in [*LETTERS[: len(references) - 1]])


def _sample(row: Row, *, lettered: bool) -> Row:
    found = {SAMPLE.get(name, name): value for name, value in row.items()}
    references = found.pop("references")
    if lettered and isinstance(references, list):
        return {**found, "target": references[:1], "choices": references[1:]}
    return {**found, "target": references, "choices": []}


def migrated_result(content: Json) -> Json:
    """What ``result.json`` says. Earlier ones did not say by what a metric was made but in its name."""
    found = renamed(content, RESULT)
    if not isinstance(found, dict) or found.get("provenance") is not None:
        return found
    made = {name: {"metric": metric, "by": by, "name": maker} for name, metric, by, maker in _made_before(found)}
    return {**found, "provenance": made}


def _made_before(result: Row) -> Iterator[tuple[str, str, str, str]]:
    """(whole name, metric, by, maker) of metrics of a result that does not say so: by the makers that there were then.

    One that says nothing of a judge, as judges' results do since there are any, has the judge in brackets.
    """
    judge, metrics = result.get("judge"), result.get("metrics")
    grader = judge.get("name") if isinstance(judge, dict) else None
    makers = [*([(JUDGE, grader)] if isinstance(grader, str) else []), *MADE_BEFORE]
    for name in dict.fromkeys([*(metrics if isinstance(metrics, dict) else ()), str(result.get("headline", ""))]):
        found = next(((by, maker) for by, maker in makers if name.endswith(f"[{maker}]")), None)
        old = NAME_BEFORE.fullmatch(name) if "judge" not in result else None
        if found is not None:
            yield name, name.removesuffix(f"[{found[1]}]"), *found
        elif old is not None:
            yield name, old["metric"], JUDGE, old["judge"]
