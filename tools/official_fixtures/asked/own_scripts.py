"""Models with scripts of their own: InternVL, IDEFICS and its followers, BLIP-2, InstructBLIP, PaliGemma, DeepSeek-VL."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tools.official_fixtures.asked.official_code import function_of, module_of, value_of
from tools.official_fixtures.asked.rows import Made, Row
from tools.official_fixtures.asked.samples import BY_NAME, LETTER, LETTER_CN, SHORT, UNANSWERABLE, YES_NO, Sample

END = "<end_of_utterance>"
BEGIN = {"bos_token": "<s>"}


def internvl(root: Path) -> Iterator[Row]:
    """`model.chat` puts the image's mark before the question and takes the template internvl2_5."""
    module = module_of(root / "internvl_chat/internvl/conversation.py", "asked_internvl_conversation")
    asked = {
        "pope": (BY_NAME["pope"].ours, "pope/evaluate_pope.py"),
        "mme": (f"{BY_NAME['mme'].stem}{YES_NO} {SHORT}", "mme/eval.py"),
        "vqav2": (f"{BY_NAME['vqav2'].stem} {SHORT}", "vqa/evaluate_vqa.py"),
        "gqa": (f"{BY_NAME['gqa'].stem} {SHORT}", "vqa/evaluate_vqa.py"),
        "textvqa-plain": (f"{BY_NAME['textvqa-plain'].stem} {SHORT}", "vqa/evaluate_vqa.py"),
        "vizwiz": (f"{BY_NAME['vizwiz'].stem} {UNANSWERABLE} {SHORT}", "vqa/evaluate_vqa.py"),
        "mmbench": (BY_NAME["mmbench"].ours, "mmbench/evaluate_mmbench.py"),
        "mmbench-hint": (BY_NAME["mmbench-hint"].ours, "mmbench/evaluate_mmbench.py"),
        "mmbench-cn": (_chinese(BY_NAME["mmbench-cn"]), "mmbench/evaluate_mmbench.py"),
        "seed": (BY_NAME["seed"].ours, "seed/evaluate_seed.py"),
        "scienceqa": (_science(BY_NAME["scienceqa"]), "scienceqa/evaluate_scienceqa.py"),
        "mmvet": (f"{BY_NAME['mmvet'].stem} ", "mmvet/evaluate_mmvet.py"),
        "coco-cap": (BY_NAME["coco-cap"].ours, "caption/evaluate_caption.py"),
        "nocaps": (BY_NAME["nocaps"].ours, "caption/evaluate_caption.py"),
    }
    presets = (
        "internvl2.5-1b",
        "internvl2.5-2b",
        "internvl2.5-4b",
        "internvl2.5-8b",
        "internvl3-1b",
        "internvl3-2b",
        "internvl3-8b",
    )
    for name, (text, script) in asked.items():
        template = module.get_conv_template("internvl2_5")
        template.append_message(template.roles[0], f"<image>\n{text}")
        template.append_message(template.roles[1], None)
        source = f"internvl_chat/internvl/conversation.py, internvl_chat/eval/{script}"
        yield Row(presets, BY_NAME[name], text, template.get_prompt(), "part run", source)


def _chinese(sample: Sample) -> str:
    return "\n".join([sample.stem, *sample.lettered, LETTER_CN])


def _science(sample: Sample) -> str:
    return "\n".join([sample.hint, sample.stem, *sample.lettered, LETTER])


def _choices(sample: Sample, line: str) -> str:
    """vision/data/datasets_processing_scripts/integrate_evaluation_benchmarks_chatbot: question, hint, choices, a line."""
    hint = [f"Hint: {sample.hint}"] if sample.hint else []
    return "\n".join([f"Question: {sample.stem}", *hint, "Choices:", *sample.lettered, line])


def _open_ended(template: dict[str, Any], question: str, bos: str, instruct: bool, image: str) -> str:
    """As `prepare_dataset` and `_create_example_prompt` of m4 fill a template in, without shots."""
    asked = template["example"].format(bos_token=bos, eos_token="", question=question, answer="", **IMAGE_TOKENS).strip()
    asked = asked[: -len(f"{END}\n")].strip() if instruct else asked
    prefix = (template["prefix"] or "").format(bos_token=bos, eos_token="")
    return f"{prefix}{asked.replace('<image>', image)}".strip()


IMAGE_TOKENS = {"token_around_image": "<fake_token_around_image>", "image_token": "<image>"}
AROUND = "<fake_token_around_image><image><fake_token_around_image>"


def idefics(root: Path) -> Iterator[Row]:
    """The models that were evaluated without chat: two lines of a template."""
    models = root / "vision/m4/models"
    base, own = (
        models / "vgpt2/evaluation_open_ended_vqa_in_context_vgpt2.py",
        "idefics/evaluation_open_ended_vqa_in_context_idefics.py",
    )
    general = value_of(base, "Vgpt2OpenEndedVQAInContext.prompt_templates_dict")
    blind = value_of(models / own, "VizWizNewSplitsIdeficsOpenEndedVQAInContextAcc.prompt_templates_dict")
    for name, templates, kind in (
        ("vqav2", general, "VQAv2NewSplits"),
        ("textvqa-plain", general, "TextVQANewSplits"),
        ("vizwiz", blind, "VizWizNewSplits"),
    ):
        chosen = value_of(models / own, f"{kind}IdeficsOpenEndedVQAInContextAcc.selected_prompt_template_id")
        image = "<image>" if name == "vizwiz" else AROUND
        prompt = _open_ended(templates[chosen], BY_NAME[name].stem, "<s>", False, image)
        made: Made = "part run"
        yield Row(
            ("idefics-9b", "idefics-80b"), BY_NAME[name], prompt, prompt, made, f"vision/m4/models/{own}, template {chosen}"
        )
    captions = value_of(
        models / "idefics/evaluation_captioning_in_context_idefics.py",
        "CocoNewSplitsIdeficsImageCaptioningInContextBleuCiderMeteorRouge.selected_prompt_template_id",
    )
    template = value_of(
        models / "vgpt2/evaluation_captioning_in_context_vgpt2.py", "Vgpt2ImageCaptioningInContext.prompt_templates_dict"
    )[captions]
    prompt = (template["prefix"].format(**BEGIN) + template["example"].format(caption="").replace("<image>", AROUND)).strip()
    source = f"vision/m4/models/idefics/evaluation_captioning_in_context_idefics.py, template {captions}"
    for name in ("coco-cap", "nocaps"):
        yield Row(("idefics-9b", "idefics-80b"), BY_NAME[name], prompt, prompt, "part run", source)


def idefics_chat(root: Path) -> Iterator[Row]:
    """Idefics2 (vmistral) and Idefics3 (vllama3): templates that end in the assistant's turn."""
    models = root / "vision/m4/models"
    for folder, kind, bos, presets in (
        ("vmistral", "VMistral", "<s>", ("idefics2-8b",)),
        ("vllama3", "VLlama3", "<|begin_of_text|>", ("idefics3-8b",)),
    ):
        vqa = f"{folder}/evaluation_open_ended_vqa_in_context_{folder}.py"
        for name, data in (("vqav2", "VQAv2Chatbot"), ("textvqa-plain", "TextVQAChatbot")):
            owner = f"{data}{kind}OpenEndedVQAInContextAcc"
            chosen = value_of(models / vqa, f"{owner}.selected_prompt_template_id")
            template = value_of(models / vqa, f"{owner}.prompt_templates_dict_instruct")[chosen]
            prompt = _open_ended(template, BY_NAME[name].stem, bos, True, "<image>")
            user = prompt.partition("<image>")[2].partition(END)[0]
            yield Row(presets, BY_NAME[name], user, prompt, "part run", f"vision/m4/models/{vqa} {owner}")
        ranked = f"{folder}/evaluation_classification_in_context_{folder}.py"
        for name, data, text in (
            ("pope", "POPEChatbot", BY_NAME["pope"].stem),
            ("mmbench", "MMBenchChatbot", _choices(BY_NAME["mmbench"], "Answer with a letter.")),
            ("mmbench-hint", "MMBenchChatbot", _choices(BY_NAME["mmbench-hint"], "Answer with a letter.")),
            ("seed", "SEEDImgChatbot", _choices(BY_NAME["seed"], "Answer with the letter.")),
        ):
            owner = f"{data}{kind}ClassificationInContextAccWithKLAndEntropy"
            template = value_of(models / ranked, f"{owner}.prompt_templates_dict")[0]
            given = {"context": text, "question": text, "class_name": "\0"}
            prompt = (
                template["prefix"].format(bos_token=bos) + template["example"].format(**given).partition("\0")[0].rstrip()
            )
            user = prompt.partition("<image>")[2].partition(END)[0]
            yield Row(presets, BY_NAME[name], user, prompt, "part run", f"vision/m4/models/{ranked} {owner}")


def blip(root: Path) -> Iterator[Row]:
    """LAVIS: a question is prepared by a text processor and put into the evaluation file's prompt."""
    file = root / "lavis/processors/blip_processors.py"
    own = SimpleNamespace(max_words=50)
    question = function_of(file, "BlipQuestionProcessor.pre_question", {"re": re})
    caption = function_of(file, "BlipCaptionProcessor.pre_caption", {"re": re})
    opt, t5 = ("blip2-opt-2.7b", "blip2-opt-6.7b"), ("blip2-flan-t5-xl", "blip2-flan-t5-xxl")
    for presets, config in (
        (opt, "blip2/eval/vqav2_zeroshot_opt_eval.yaml"),
        (t5, "blip2/eval/vqav2_zeroshot_flant5xl_eval.yaml"),
    ):
        yield _blip_row(root, presets, "vqav2", config, lambda text: question(own, text))
    yield _blip_row(root, t5, "gqa", "blip2/eval/gqa_zeroshot_flant5xl_eval.yaml", lambda text: question(own, text))
    vicuna = ("instructblip-vicuna-7b", "instructblip-vicuna-13b")
    yield _blip_row(root, vicuna, "vqav2", "instructblip/qa_okvqa_vicuna7b_eval.yaml", lambda text: caption(own, text))
    for name, file_name in (("coco-cap", "coco_vicuna7b_eval_val"), ("nocaps", "nocaps_out_domain_vicuna7b_eval")):
        config = f"instructblip/caption_{file_name}.yaml"
        text = _prompt_in(root / "lavis/projects" / config)
        yield Row(vicuna, BY_NAME[name], text, text, "read", f"lavis/projects/{config}")


def _prompt_in(file: Path) -> str:
    found = re.findall(r'^\s*prompt: "(.*)"', file.read_text(encoding="utf-8"), re.MULTILINE)
    return str(found[-1])


def _blip_row(root: Path, presets: tuple[str, ...], name: str, config: str, prepared: Any) -> Row:
    text = _prompt_in(root / "lavis/projects" / config).format(prepared(BY_NAME[name].stem))
    return Row(
        presets, BY_NAME[name], text, text, "part run", f"lavis/projects/{config}, lavis/processors/blip_processors.py"
    )


def paligemma(root: Path) -> Iterator[Row]:
    """big_vision: begin token, prefix, line break; the picture's tokens stand before."""
    presets = tuple(f"paligemma-3b-mix-{size}" for size in (224, 448))
    for name, file, default in (
        ("vqav2", "vqav2", None),
        ("gqa", "gqa", "answer en {question}"),
        ("textvqa-plain", "textvqa", None),
        ("vizwiz", "vizwizvqa", None),
        ("pope", "pope", "{question}"),
        ("coco-cap", "cococap", None),
        ("nocaps", "cococap", None),
    ):
        source = f"big_vision/configs/proj/paligemma/transfers/{file}.py"
        text = (root / source).read_text(encoding="utf-8")
        pattern = default or re.findall(r"strfmt\(\"(.*?)\", outkey=\"prefix\"", text)[0]
        if pattern not in text:
            raise SystemExit(f"{source} has another prompt than {pattern!r}")
        user = pattern.replace("question_text", "question").format(question=BY_NAME[name].stem)
        yield Row(presets, BY_NAME[name], user, f"<image><bos>{user}\n", "read", f"{source}, common.py")


def deepseek_vl(root: Path) -> Iterator[Row]:
    """Only the conversation is public, no evaluation: mipha-eval's questions in it."""
    module = module_of(root / "deepseek_vl/utils/conversation.py", "asked_deepseek_conversation")
    system = value_of(root / "deepseek_vl/models/processing_vlm.py", "VLChatProcessor.system_prompt")
    for name in ("pope", "vqav2", "mmbench", "mmvet"):
        conversation = module.get_conv_template("deepseek")
        conversation.set_system_message(system)
        conversation.append_message("User", f"<image_placeholder>{BY_NAME[name].ours}".strip())
        conversation.append_message("Assistant", "")
        source = "deepseek_vl/utils/conversation.py, deepseek_vl/models/processing_vlm.py"
        prompt = conversation.get_prompt().strip()
        yield Row(("deepseek-vl-1.3b", "deepseek-vl-7b"), BY_NAME[name], BY_NAME[name].ours, prompt, "part run", source)
