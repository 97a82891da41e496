"""For maintainers: do two checkouts give the same numbers? ``python -m tools.compare_numbers BEFORE AFTER --shared FOLDER``.

Both score the same answer files, run the embedded model and a constant one on the demo, and print tables and a comparison;
every number and text of these is compared, but for what is a time, a path or a digest of code.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from mipha_eval.store.migrations import RESULT

LLAVA = "predictions/llava-v1.5-13b"
#: task -> answer file and further flags, below the shared folder
SCORED = {
    "pope": ("pope.jsonl",),
    "mme": ("mme.jsonl",),
    "textvqa": ("textvqa.jsonl",),
    "seed": ("seed.jsonl",),
    "seed@ppl": ("seed.jsonl",),
    "scienceqa": ("scienceqa.jsonl",),
    "mmbench": ("mmbench_dev.jsonl",),
    "mmvet": ("mmvet.jsonl",),
    "mmvet --grades 1": ("mmvet.jsonl", "--grades", "mmvet_gpt-4-grade-1runs.json"),
    "mmvet --grades 3": ("mmvet.jsonl", "--grades", "mmvet_gpt-4-grade-3runs.json"),
}
FORMATS = ("md", "latex", "csv", "json", "html")
#: keys of what may differ between two runs of one version
LEFT_OUT = {"seconds", "certificate", "run", "runs", "file", "path", "started", "source", "sources", "name"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    parser.add_argument("--shared", type=Path, required=True, help="benchmarks and predictions")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(2) as pool:
        both = (given.before, given.after)
        places = [Path(folder) / "before", Path(folder) / "after"]
        shared = given.shared.resolve()
        found = list(pool.map(outputs, both, places, (shared, shared)))
    numbers, differing = 0, []
    for name, before in found[0].items():
        old, new = dict(leaves(before)), dict(leaves(found[1][name]))
        numbers += len(old)
        differing += [
            f"{name} {key}: {old.get(key)!r} {new.get(key)!r}" for key in old | new if old.get(key) != new.get(key)
        ]
    print(f"{numbers:,} values of {len(found[0])} outputs compared, {len(differing)} differ", *differing[:40], sep="\n")
    sys.exit(bool(differing))


def outputs(checkout: Path, folder: Path, shared: Path) -> dict[str, object]:
    """What a checkout says, by what it was asked."""
    folder.mkdir(parents=True)

    def ask(*arguments: object) -> str:
        command = [sys.executable, "-m", "mipha_eval", *map(str, arguments)]
        environment = {**os.environ, "PYTHONPATH": str(checkout.resolve()), "OMP_NUM_THREADS": "1"}
        done = subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environment, check=False)  # noqa: S603
        if done.returncode not in (0, 3):
            raise SystemExit(f"{checkout}: {' '.join(command)}: {done.stderr}")
        return done.stdout

    told: dict[str, object] = {}
    for name, (answers, *flags) in SCORED.items():
        more = [shared / LLAVA / flag if flag.endswith(".json") else flag for flag in flags]
        asked = ("score", name.split()[0], "--answers", shared / LLAVA / answers, "--data", shared / "benchmarks", "--json")
        told[f"score {name}"] = json.loads(ask(*asked, *more))
    told["demo"] = json.loads(ask("run", "--tasks", "all", "--limit", 60, "--output", "runs", "--json"))
    constant = ("--model", "constant", "--data", "demo", "--limit", 40, "--output", "runs", "--json")
    told["constant"] = json.loads(ask("run", "--tasks", "all", *constant))
    runs = [next((folder / "runs").glob(f"{model}*")).relative_to(folder) for model in ("mipha-tiny", "constant")]
    for form in FORMATS:
        text = ask("report", *runs, "--table", "mipha-paper", "--format", form)
        for run in runs:
            text = text.replace(str(run), run.name.partition("__")[0])
        told[f"table {form}"] = json.loads(text) if form == "json" else text.splitlines()
    told["compare"] = json.loads(ask("compare", *runs, "--json"))
    return told


def leaves(value: object, place: str = "") -> Iterator[tuple[str, object]]:
    """Every number and text with its place, under today's names."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key not in LEFT_OUT:
                yield from leaves(inner, f"{place}/{RESULT.get(key, key)}")
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from leaves(inner, f"{place}/{number}")
    else:
        yield place, value


if __name__ == "__main__":
    main()
