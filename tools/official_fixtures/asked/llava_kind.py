"""LLaVA and its relatives: their conversation modules make the prompt of what their question files hold.

The question files are in archives beside the code (Bunny has them in its repository): questions with LLaVA's format lines,
which are mipha-eval's own. MMBench's and ScienceQA's questions are put together by scripts, as ``Sample.ours`` has them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tools.official_fixtures.asked.official_code import module_of, stand_in
from tools.official_fixtures.asked.rows import Row
from tools.official_fixtures.asked.samples import BY_NAME, Sample

MARK = "<image>\n"
ALL = (
    "pope",
    "mme",
    "vqav2",
    "gqa",
    "textvqa",
    "vizwiz",
    "mmbench",
    "mmbench-hint",
    "mmbench-cn",
    "seed",
    "scienceqa",
    "mmvet",
)
MOBILEVLM = ("mme", "gqa", "textvqa", "pope", "mmbench", "mmbench-hint", "scienceqa")
TINYLLAVA = ("vqav2", "gqa", "textvqa", "mme", "pope", "scienceqa", "mmvet")
BUNNY = ("pope", "mme", "vqav2", "gqa", "mmbench", "mmbench-hint", "mmbench-cn", "seed", "scienceqa", "mmvet")
SCRIPTS = {"mmbench": "model_vqa_mmbench.py", "scienceqa": "model_vqa_science.py", "mmvet": "model_vqa.py"}


def _source(package: str, sample: Sample) -> str:
    script = SCRIPTS.get(sample.task.partition("@")[0], "model_vqa_loader.py")
    return f"{package}/conversation.py, {package}/eval/{script}"


def _asked(module: Any, template: str, text: str) -> str:
    conversation = module.conv_templates[template].copy()
    conversation.append_message(conversation.roles[0], MARK + text)
    conversation.append_message(conversation.roles[1], None)
    prompt: str = conversation.get_prompt()
    return prompt


def _rows(file: Path, package: str, presets: tuple[str, ...], template: str, names: tuple[str, ...]) -> Iterator[Row]:
    module = module_of(file, f"asked_{package}_conversation")
    for sample in map(BY_NAME.__getitem__, names):
        text = sample.ours
        yield Row(presets, sample, text, _asked(module, template, text), "part run", _source(package, sample))


def llava(root: Path) -> Iterator[Row]:
    file = root / "llava/conversation.py"
    llava_15 = ("llava-1.5-7b", "llava-1.5-13b", "llava-1.5-7b-hf", "llava-1.5-13b-hf")
    yield from _rows(file, "llava", llava_15, "vicuna_v1", ALL)
    plain = tuple("textvqa-plain" if name == "textvqa" else name for name in ALL)
    yield from _rows(file, "llava", ("llava-1.6-vicuna-7b", "llava-1.6-vicuna-13b"), "vicuna_v1", plain)
    yield from _rows(file, "llava", ("llava-1.6-mistral-7b",), "mistral_instruct", plain)


def mobilevlm(root: Path) -> Iterator[Row]:
    presets = tuple(f"mobilevlm-{size}" for size in ("1.7b", "3b", "v2-1.7b", "v2-3b", "v2-7b"))
    yield from _rows(root / "mobilevlm/conversation.py", "mobilevlm", presets, "v1", MOBILEVLM)


def bunny(root: Path) -> Iterator[Row]:
    for template, presets in (
        ("bunny", ("bunny-1.0-2b-zh", "bunny-1.0-3b")),
        ("phi3", ("bunny-1.0-4b", "bunny-1.1-4b")),
        ("llama", ("bunny-llama-3-8b", "bunny-1.1-llama-3-8b")),
    ):
        yield from _rows(root / "bunny/conversation.py", "bunny", presets, template, BUNNY)


def tinyllava(root: Path) -> Iterator[Row]:
    """TinyLLaVA's templates are dataclasses of formatters; a `Message` without an answer ends with None."""
    folder = root / "tinyllava/data/template"
    for package in ("tinyllava", "tinyllava.data", "tinyllava.utils"):
        stand_in(package)
    stand_in("tinyllava.data.template", register_template=lambda _name: lambda kind: kind)
    module_of(root / "tinyllava/utils/constants.py", "tinyllava.utils.constants")
    formatter = module_of(folder / "formatter.py", "tinyllava.data.template.formatter")
    for kind in (formatter.StringFormatter, formatter.EmptyFormatter):
        kind.__hash__ = object.__hash__  # they are defaults of fields, which Python 3.11 wants to be hashable
    module_of(folder / "base.py", "tinyllava.data.template.base")
    for name, owner, presets in (
        ("phi", "PhiTemplate", ("tinyllava-phi-2-siglip-3.1b",)),
        ("gemma", "GemmaTemplate", ("tinyllava-gemma-siglip-2.4b",)),
        ("qwen2_base", "Qwen2BaseTemplate", ("tinyllava-qwen2-0.5b-siglip", "tinyllava-qwen2.5-3b-siglip")),
    ):
        module = module_of(folder / f"{name}_template.py", f"tinyllava.data.template.{name}_template")
        template = getattr(module, owner)()
        for sample in map(BY_NAME.__getitem__, TINYLLAVA):
            prompt = template.prompt([MARK + sample.ours], [None])
            script = SCRIPTS.get(sample.task, "model_vqa_loader.py")
            source = f"tinyllava/data/template/{name}_template.py, tinyllava/eval/{script}"
            yield Row(presets, sample, sample.ours, prompt, "part run", source)
