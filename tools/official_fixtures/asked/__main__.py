"""Records what official code asks: `python -m tools.official_fixtures.asked --checkouts FOLDER --out tests/fixtures/asked`.

FOLDER holds a checkout of each project under its repository's name. Python 3.11 with transformers, pandas and Pillow;
official files are run alone, without their packages, so no further version matters.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from tools.official_fixtures.asked import llava_kind, own_scripts, suites
from tools.official_fixtures.asked.rows import Row
from tools.official_fixtures.asked.samples import SAMPLES

COMMITS = {
    "LLaVA": "haotian-liu/LLaVA@c121f0432da27facab705978f83c4ada465e46fd",
    "MobileVLM": "Meituan-AutoML/MobileVLM@688fdec914810485c8766da96c63d9d2ce15f750",
    "Bunny": "BAAI-DCAI/Bunny@08273acbd83b6836c03dce25cc134eb6b9cedba5",
    "TinyLLaVA_Factory": "TinyLLaVA/TinyLLaVA_Factory@53f12c7804102104d54064102b5d2139343e59c5",
    "LLaVA-NeXT": "LLaVA-VL/LLaVA-NeXT@df179663ae8b83207df100a1f7af24caec633ff9",
    "lmms-eval": "EvolvingLMMs-Lab/lmms-eval@75571cfe0fa36ca5ec2e6aa2bb268f9d38295af3",
    "VLMEvalKit": "open-compass/VLMEvalKit@e8e78f05f3080fe28154f2130321f17951c3be94",
    "smollm": "huggingface/smollm@a041759883ec7152d18fb985ea49be641a0bceef",
    "LAVIS": "salesforce/LAVIS@506965b9c4a18c1e565bd32acaccabe0198433f7",
    "InternVL": "OpenGVLab/InternVL@2410d1dbf208f0e799459aff9376e5747dbf41a2",
    "big_vision": "google-research/big_vision@0127fb6b337ee2a27bf4e54dea79cff176527356",
    "DeepSeek-VL": "deepseek-ai/DeepSeek-VL@681bffb4519856ad27cc17531aacde31ddf6f1a7",
}
FILES: dict[str, tuple[tuple[str, ...], Callable[..., Iterator[Row]]]] = {
    "llava": (("LLaVA",), llava_kind.llava),
    "mobilevlm": (("MobileVLM",), llava_kind.mobilevlm),
    "bunny": (("Bunny",), llava_kind.bunny),
    "tinyllava": (("TinyLLaVA_Factory",), llava_kind.tinyllava),
    "llava_onevision": (("lmms-eval", "LLaVA-NeXT"), suites.llava_onevision),
    "vlmevalkit": (("VLMEvalKit",), suites.vlmevalkit),
    "internvl": (("InternVL",), own_scripts.internvl),
    "idefics": (("smollm",), own_scripts.idefics),
    "idefics_chat": (("smollm",), own_scripts.idefics_chat),
    "blip": (("LAVIS",), own_scripts.blip),
    "paligemma": (("big_vision",), own_scripts.paligemma),
    "deepseek_vl": (("DeepSeek-VL",), own_scripts.deepseek_vl),
}


def write(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkouts", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    os.environ["HF_HUB_OFFLINE"] = "1"  # LLaVA-NeXT's conversations look for a tokenizer of Llama 3, and do without
    given.out.mkdir(parents=True, exist_ok=True)
    write(given.out / "samples.json", [sample.stored() for sample in SAMPLES])
    for name, (projects, asked) in FILES.items():
        rows = [row.stored() for row in asked(*(given.checkouts / project for project in projects))]
        write(given.out / f"{name}.json", {"official": [COMMITS[project] for project in projects], "rows": rows})
        print(f"{name}: {len(rows)} prompts")


if __name__ == "__main__":
    main()
