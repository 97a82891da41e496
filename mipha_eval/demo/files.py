"""The demo's data folder: drawn scenes as each benchmark's own files, in LLaVA's eval layout, for the same loaders that read
the real ones. Every scene is held out from training.
"""

from __future__ import annotations

import hashlib
import random
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from mipha_eval.core.cache_folder import cache_folder
from mipha_eval.core.errors import UserError
from mipha_eval.demo.choice_files import write_mmbench, write_scienceqa, write_seed
from mipha_eval.demo.sentence_files import write_captions, write_mmvet, write_nocaps
from mipha_eval.demo.vqa_files import write_gqa, write_textvqa, write_vizwiz, write_vqav2
from mipha_eval.demo.yes_no_files import write_mme, write_pope

#: folder -> what writes it
WRITERS: Mapping[str, Callable[[Path, random.Random], None]] = {
    "pope": write_pope,
    "MME": write_mme,
    "vqav2": write_vqav2,
    "gqa": write_gqa,
    "textvqa": write_textvqa,
    "vizwiz": write_vizwiz,
    "scienceqa": write_scienceqa,
    "mmbench": write_mmbench,
    "seed_bench": write_seed,
    "mm-vet": write_mmvet,
    "coco": write_captions,
    "nocaps": write_nocaps,
}


def demo_folder() -> Path:
    """The demo's data folder; drawn on first use, below MIPHA_EVAL_CACHE or the user's cache folder."""
    cache = cache_folder()
    sources = b"".join(file.read_bytes() for file in sorted(Path(__file__).parent.glob("*.py")))
    folder = cache / f"demo-{hashlib.sha256(sources).hexdigest()[:12]}"
    if folder.is_dir():
        return folder
    try:
        cache.mkdir(parents=True, exist_ok=True)
        building = Path(tempfile.mkdtemp(dir=cache))
        write_demo(building)
    except OSError as error:
        raise UserError(f"cannot draw the demo in {cache}: {error.strerror}; set MIPHA_EVAL_CACHE to a folder") from error
    try:
        building.rename(folder)
    except OSError:  # another process was faster
        shutil.rmtree(building)
    return folder


def write_demo(folder: Path) -> None:
    """Draws all demo images and writes question and label files; always the same."""
    for name, write in WRITERS.items():
        write(folder / name, random.Random(f"demo {name.lower()}"))
