"""Conversation templates: what stands around a question.

Source: zhuyiche/llava-phi at 21dafbf, ``mipha/conversation.py`` and ``llava_phi/conversation.py``; haotian-liu/LLaVA at
c121f04 and LLaVA-VL/LLaVA-NeXT at df17966, ``llava/conversation.py``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from mipha_eval.core.errors import UserError

SYSTEM = (
    "A chat between a curious user and an artificial intelligence assistant. "
    "The assistant gives helpful, detailed, and polite answers to the user's questions."
)

#: the same to a human, as LLaVA's first models were trained
HUMAN = SYSTEM.replace("user", "human")

LLAMA2_SYSTEM = (
    "You are a helpful language and vision assistant. You are able to understand the visual content that the user provides, "
    "and assist the user with a variety of tasks using natural language."
)

#: Phi-3's own, and that of MPT's chat
HELPFUL, CHATML_SYSTEM = "You are a helpful AI assistant.", "Answer the questions."

END_OF_TEXT = "<|endoftext|>"


@dataclass(frozen=True)
class Template:
    """A conversation's first turn.

    Attributes:
        opening: what stands before the image and the question.
        closing: what stands behind the question; the answer follows.
        stop: a token that ends an answer, beside the tokenizer's end token.
        end_text: what is taken off a decoded answer's end.
        system: the part of `opening` that is the system's text; "" where there is none.
        between: what stands between an image and what follows it.
    """

    opening: str
    closing: str
    stop: str = ""
    end_text: str = ""
    system: str = ""
    between: str = "\n"

    def with_system(self, text: str) -> Template:
        """The same with another system text. Raises UserError where there is no place for one."""
        if not self.system:
            raise UserError("the template has no place for a system text; leave out system, or give another template")
        return replace(self, opening=self.opening.replace(self.system, text, 1), system=text)

    def around(self, question: str, images: int, mark: str) -> str:
        """The prompt with a mark for each image."""
        return f"{self.opening}{f'{mark}{self.between}' * images}{question}{self.closing}"


def _qwen(system: str) -> Template:
    opening = f"<|im_start|>system\n{system}<|im_end|>\n<|im_start|>user\n"
    return Template(opening, "<|im_end|>\n<|im_start|>assistant\n", "<|im_end|>", "", system)


VICUNA = Template(f"{SYSTEM} USER: ", " ASSISTANT:", "</s>", "", SYSTEM)

#: by the names of the official ``conv_templates``; v0 is Mipha's, not that of LLaVA's first models; gemma-turns is there
#: as ``conv_gemma``, without a name
TEMPLATES = {
    "v0": Template(f"{SYSTEM} USER: ", " ASSISTANT:", END_OF_TEXT, END_OF_TEXT, SYSTEM),
    "phi": Template(f"{SYSTEM} USER: ", " ASSISTANT:", END_OF_TEXT, END_OF_TEXT, SYSTEM),
    "gemma": Template(f"{SYSTEM} USER: ", " ASSISTANT:", "<eos>", "<eos>", SYSTEM),
    "gemma-turns": Template(
        f"{SYSTEM}<start_of_turn>user\n",
        "<end_of_turn>\n<start_of_turn>model\n",
        "<end_of_turn>",
        "<start_of_turn>",
        SYSTEM,
    ),
    "phi3": Template(f"<|system|>{HELPFUL}<|end|><|user|>", "<|end|><|assistant|>", "<|end|>", "", HELPFUL),
    "vicuna_v1": VICUNA,
    "bunny": VICUNA,
    "v1": VICUNA,
    "imp_phi2": VICUNA,
    "imp_phi3": Template(f"<|system|>\n{SYSTEM}<|end|>\n<|user|>\n", "<|end|>\n<|assistant|>\n", "<|end|>", "", SYSTEM),
    "imp_qwen2": _qwen(SYSTEM),
    "llava_v0": Template(f"{HUMAN}###Human: ", "###Assistant:", system=HUMAN),
    "llava_v1": Template(f"{HUMAN} USER: ", " ASSISTANT:", "</s>", "", HUMAN),
    "plain": Template("", "\n"),
    "mistral_instruct": Template("[INST] ", " [/INST]", "</s>"),
    "llava_llama_2": Template(f"[INST] <<SYS>>\n{LLAMA2_SYSTEM}\n<</SYS>>\n\n", " [/INST]", "</s>", "", LLAMA2_SYSTEM),
    "chatml_direct": Template(
        f"<|im_start|>system\n{CHATML_SYSTEM}<|im_end|><|im_start|>user\n",
        "<|im_end|><|im_start|>assistant\n",
        "<|im_end|>",
        "",
        CHATML_SYSTEM,
    ),
    "qwen_1_5": _qwen("You are a helpful assistant."),
    "qwen_2_5": _qwen("You are Qwen, created by Alibaba Cloud. You are a helpful assistant."),
}

#: shorter names that people write
ALIASES = {"mistral": "mistral_instruct", "qwen": "qwen_1_5", "qwen_2": "qwen_1_5"}


def template_named(name: str) -> Template:
    """A template. Raises UserError if there is none of that name."""
    known = ALIASES.get(name, name)
    if known not in TEMPLATES:
        raise UserError(f"there is no template {name!r}; there are {', '.join(TEMPLATES)}")
    return TEMPLATES[known]
