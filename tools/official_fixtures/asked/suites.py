"""Models whose authors evaluated them in lmms-eval or VLMEvalKit, or with scripts and data sets of their own."""

from __future__ import annotations

import json
import re
import string
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas

from tools.official_fixtures.asked.official_code import function_of, module_of
from tools.official_fixtures.asked.rows import Row
from tools.official_fixtures.asked.samples import BY_NAME, YES_NO, Sample

IMAGE = "<image>\n"
SYSTEM = "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\n"
KINDS = {"MMBench_DEV_EN": "MCQ", "SEEDBench_IMG": "MCQ", "MME": "Y/N", "TextVQA_VAL": "VQA", "MMVet": "VQA"}
TABLES = {
    "mmbench": "MMBench_DEV_EN",
    "mmbench-hint": "MMBench_DEV_EN",
    "seed": "SEEDBench_IMG",
    "mme": "MME",
    "textvqa-plain": "TextVQA_VAL",
    "mmvet": "MMVet",
}
# lmms-eval's file of settings, its function's file and name
LMMS = {
    "pope": ("pope/pope.yaml", "pope/utils.py", "pope_doc_to_text"),
    "mme": ("mme/mme.yaml", "mme/utils.py", "mme_doc_to_text"),
    "vqav2": ("vqav2/_default_template_vqav2_yaml", "vqav2/utils.py", "vqav2_doc_to_text"),
    "gqa": ("gqa/gqa.yaml", "gqa/utils.py", "gqa_doc_to_text"),
    "textvqa-plain": ("textvqa/_default_template_textvqa_yaml", "textvqa/utils.py", "textvqa_doc_to_text"),
    "vizwiz": ("vizwiz_vqa/_default_template_vqa_yaml", "vizwiz_vqa/utils.py", "vizwiz_vqa_doc_to_text"),
    "mmbench": ("mmbench/_default_template_mmbench_en_yaml", "mmbench/en_utils.py", "mmbench_doc_to_text"),
    "mmbench-hint": ("mmbench/_default_template_mmbench_en_yaml", "mmbench/en_utils.py", "mmbench_doc_to_text"),
    "scienceqa": ("scienceqa/scienceqa_img.yaml", "scienceqa/utils.py", "sqa_doc_to_text"),
    "mmvet": ("mmvet/mmvet.yaml", "mmvet/utils.py", "doc_to_text"),
    "seed": ("", "seedbench/utils.py", "seed_doc_to_text"),
}


def official_question(sample: Sample) -> str:
    """As the benchmark's own file has it."""
    return sample.stem + YES_NO if sample.task == "mme" else sample.stem


def table_row(sample: Sample) -> dict[str, object]:
    return {**sample.row(), "question": official_question(sample)}


def _settings(file: Path) -> dict[str, str]:
    """The default model's lines of a file of settings."""
    text = file.read_text(encoding="utf-8").partition("lmms_eval_specific_kwargs:")[2].partition("default:")[2]
    found = {key: re.search(rf'\n\s+{key}: (".*?")\n', f"\n{text}\n") for key in ("pre_prompt", "post_prompt")}
    return {"format": "default", **{key: json.loads(match[1]) for key, match in found.items() if match}}


def _document(sample: Sample) -> dict[str, object]:
    choices = {f"choice_{letter}": option for letter, option in zip("abcd", sample.options, strict=False)}
    rest = {"index": 0, "source": "", "split": "", "L2-category": ""}
    return {**table_row(sample), **choices, **rest, "choices": list(sample.options), "hint": sample.hint or "nan"}


def llava_onevision(lmms: Path, next_root: Path) -> Iterator[Row]:
    """docs/LLaVA_OneVision.md of LLaVA-NeXT: lmms-eval with the template qwen_1_5."""
    tasks = lmms / "lmms_eval/tasks"
    options = function_of(tasks / "mmbench/mmbench_evals.py", "MMBench_Evaluator.create_options_prompt", {"pd": pandas})
    system = "There are several options:"  # tasks/mmbench/mmbench.yaml
    evaluator = SimpleNamespace(create_options_prompt=lambda *given: options(SimpleNamespace(sys_prompt=system), *given))
    names = {"pd": pandas, "mmbench_evaluator": evaluator, "replace_prompt": YES_NO}
    module = module_of(next_root / "llava/conversation.py", "asked_next_conversation")
    for name, (settings, file, function) in LMMS.items():
        sample, make = BY_NAME[name], function_of(tasks / file, function, names)
        document = _document(sample)
        if name == "scienceqa":
            document["hint"] = sample.hint
        text = make(document, _settings(tasks / settings)) if settings else make(document)
        conversation = module.conv_templates["qwen_1_5"].copy()
        conversation.append_message(conversation.roles[0], IMAGE + text)
        conversation.append_message(conversation.roles[1], None)
        source = f"lmms_eval/tasks/{file}, {settings or 'no settings'}; LLaVA-NeXT llava/conversation.py"
        yield Row(("llava-onevision-0.5b", "llava-onevision-7b"), sample, text, conversation.get_prompt(), "run", source)


def _text(messages: list[dict[str, str]]) -> str:
    return "".join(message["value"] for message in messages if message["type"] == "text")


def vlmevalkit(root: Path) -> Iterator[Row]:
    """Prompts of VLMEvalKit's tables: the data set's own, and those that model authors put in their place."""
    names = {"pd": pandas, "string": string, "DATASET_TYPE": lambda name, **_: KINDS[name], "listinstr": _listed}
    data = root / "vlmeval/dataset"
    default = {
        "MCQ": function_of(data / "image_mcq.py", "ImageMCQDataset.build_prompt", names),
        "Y/N": function_of(data / "image_base.py", "ImageBaseDataset.build_prompt", names),
        "VQA": function_of(
            data / "image_vqa.py", "ImageVQADataset.build_prompt", {**names, "super": lambda: _Base(names, data)}
        ),
    }
    own = SimpleNamespace(meta_only=False, dump_image=lambda *_: "picture")
    file = root / "vlmeval/vlm/qwen2_vl/prompt.py"
    qwen = {kind: function_of(file, f"Qwen2VLPromptMixin.{name}", names) for kind, name in QWEN2.items()}
    ovis_file = root / "vlmeval/vlm/ovis/ovis.py"
    ovis = {kind: function_of(ovis_file, f"Ovis2.{name}", names) for kind, name in OVIS2.items()}
    for name, table in TABLES.items():
        sample, kind = BY_NAME[name], KINDS[table]
        row = table_row(sample)
        if table == "MMVet":
            text = _text(function_of(data / "image_base.py", "ImageBaseDataset.build_prompt", names)(own, row))
            plain = "vlmeval/dataset/image_base.py"
        else:
            text, plain = _text(default[kind](own, row)), f"vlmeval/dataset/{FILES[kind]}"
        around = SYSTEM + "<|vision_start|><|image_pad|><|vision_end|>{}<|im_end|>\n<|im_start|>assistant\n"
        qwen25 = ("qwen2.5-vl-3b", "qwen2.5-vl-7b")
        yield Row(
            qwen25, sample, text, around.format(text), "part run", f"{plain}; vlmeval/config.py; README.md of Qwen2.5-VL"
        )
        if table not in ("MME", "MMVet"):
            text = _text(qwen[kind](own, row, table))
            source = "vlmeval/vlm/qwen2_vl/prompt.py; README.md of Qwen2.5-VL"
            yield Row(("qwen2-vl-2b", "qwen2-vl-7b"), sample, text, around.format(text), "part run", source)
        else:
            source = f"{plain}; vlmeval/vlm/qwen2_vl/prompt.py leaves it; README.md of Qwen2.5-VL"
            yield Row(("qwen2-vl-2b", "qwen2-vl-7b"), sample, text, around.format(text), "part run", source)
        if kind != "VQA":
            yield _ovis_row(("ovis2-1b", "ovis2-2b"), sample, ovis[kind](SimpleNamespace(size="2B"), row, table))
    think = function_of(ovis_file, "Ovis2.build_mmvet_prompt", names)
    for preset, use_cot in (("ovis2-1b", False), ("ovis2-2b", True)):  # by Ovis2.use_cot
        sample = BY_NAME["mmvet"]
        yield _ovis_row((preset,), sample, think(None, table_row(sample), "MMVet", use_cot))
    yield from _smolvlm(root, default, own)


def _ovis_row(presets: tuple[str, ...], sample: Sample, text: str) -> Row:
    """In the template of transformers' converted model: src/transformers/models/ovis2/convert_ovis2_weights_to_hf.py."""
    prompt = f"{SYSTEM}{IMAGE}{text}<|im_end|>\n<|im_start|>assistant\n"
    return Row(presets, sample, text, prompt, "part run", "vlmeval/vlm/ovis/ovis.py; transformers' conversion of Ovis2")


QWEN2 = {"MCQ": "_build_mcq_prompt", "Y/N": "_build_yorn_prompt", "VQA": "_build_vqa_prompt"}
OVIS2 = {"MCQ": "build_multi_choice_prompt", "Y/N": "build_yorn_prompt"}
FILES = {"MCQ": "image_mcq.py", "Y/N": "image_base.py", "VQA": "image_vqa.py"}


class _Base:
    """Stands for the class above a data set's."""

    def __init__(self, names: dict[str, Any], data: Path) -> None:
        self._build = function_of(data / "image_base.py", "ImageBaseDataset.build_prompt", names)

    def build_prompt(self, line: object) -> list[dict[str, str]]:
        messages: list[dict[str, str]] = self._build(SimpleNamespace(meta_only=False, dump_image=lambda *_: "picture"), line)
        return messages


def _listed(words: list[str], name: str) -> bool:
    return any(word in name for word in words)


def _smolvlm(root: Path, default: dict[str, Any], own: object) -> Iterator[Row]:
    """SmolVLM's class rewrites the data set's prompt."""
    file = root / "vlmeval/vlm/smolvlm.py"
    rewrite = {
        "mmbench": ("build_prompt_mmbench", {}),
        "mmbench-hint": ("build_prompt_mmbench", {}),
        "seed": ("build_prompt_puremcq", {}),
        "mme": ("build_prompt_default", {"add_brief": True}),
        "mmvet": ("build_prompt_default", {"add_brief": True}),
        "textvqa-plain": ("build_prompt_textvqa", {}),
    }
    for name, (method, given) in rewrite.items():
        sample, table = BY_NAME[name], TABLES[name]
        build = default["Y/N" if table == "MMVet" else KINDS[table]]
        rewritten = function_of(file, f"SmolVLM.{method}", {})  # a picture would be loaded; none is handed over
        message = [{"type": "text", "value": _text(build(own, table_row(sample)))}]
        prompt, _ = rewritten(None, message, **given)
        prompt = prompt if "<image>" in prompt else prompt.replace("User:", "User:<image>", 1)
        user = prompt.partition("<image>")[2].partition("<end_of_utterance>")[0]
        presets = tuple(f"smolvlm-{size}" for size in ("256m", "500m", "2b"))
        presets += tuple(f"smolvlm2-{size}" for size in ("256m", "500m", "2.2b"))
        yield Row(presets, sample, user, prompt, "part run", f"vlmeval/vlm/smolvlm.py {method}")
