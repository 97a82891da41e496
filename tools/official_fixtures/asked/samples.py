"""A few questions, as mipha-eval's tasks ask them and in the parts from which each official script makes its own prompt."""

from __future__ import annotations

from dataclasses import asdict, dataclass

SHORT = "Answer the question using a single word or phrase."
LETTER = "Answer with the option's letter from the given choices directly."
LETTER_CN = "请直接回答选项字母。"
UNANSWERABLE = "When the provided information is insufficient, respond with 'Unanswerable'."
CAPTION = "Provide a one-sentence caption for the provided image."
OCR = "Reference OCR token:"
LETTERS = "ABCDEFGH"


@dataclass(frozen=True)
class Sample:
    """A question of a task.

    Attributes:
        name: of this sample among all.
        task: with its protocol where that matters.
        stem: the bare question.
        hint: what stands before it in the benchmark.
        options: without letters.
        ocr: what an OCR system read.
    """

    name: str
    task: str
    stem: str = ""
    hint: str = ""
    options: tuple[str, ...] = ()
    ocr: tuple[str, ...] = ()

    @property
    def line(self) -> str:
        """The format line that the task puts behind the question."""
        if self.options:
            return LETTER_CN if "@cn" in self.task else LETTER
        return {"mmvet": "", "coco-cap": CAPTION, "nocaps": CAPTION}.get(self.task.partition("@")[0], SHORT)

    @property
    def lettered(self) -> list[str]:
        return [f"{letter}. {option}" for letter, option in zip(LETTERS, self.options, strict=False)]

    @property
    def question(self) -> str:
        """All that the task asks, without its format line."""
        hint = self.hint and (f"Context: {self.hint}" if self.task == "scienceqa" else self.hint)
        read = f"{OCR} {', '.join(self.ocr)}" if self.task == "textvqa@llava-ocr" else ""
        more = UNANSWERABLE if self.task == "vizwiz" else ""
        return "\n".join(part for part in (hint, self.stem, *self.lettered, read, more) if part)

    @property
    def ours(self) -> str:
        """The prompt of mipha-eval's task."""
        return "\n".join(part for part in (self.question, self.line) if part)

    def row(self) -> dict[str, object]:
        """As a row of a table in MMBench's and VLMEvalKit's columns."""
        options = dict(zip(LETTERS, self.options, strict=False))
        return {"question": self.stem, "hint": self.hint or float("nan"), "category": "", **options}

    def stored(self) -> dict[str, object]:
        return {**asdict(self), "question": self.question, "line": self.line, "prompt": self.ours}


YES_NO = " Please answer yes or no."  # behind every question of MME's own files

SAMPLES = (
    Sample("pope", "pope", "Is there a snowboard in the image?"),
    Sample("mme", "mme", "Is a python code shown in the picture?"),
    Sample("vqav2", "vqav2", "What's on the man's head, and is it (mostly) RED?"),
    Sample("gqa", "gqa", "Who is wearing the dress?"),
    Sample("textvqa", "textvqa@llava-ocr", "what is the brand of this camera?", ocr=("DAKOTA", "DIGITAL", "Single-Use")),
    Sample("textvqa-plain", "textvqa@plain", "what is the brand of this camera?"),
    Sample("vizwiz", "vizwiz", "What is this? and what color is it?"),
    Sample(
        "mmbench-hint",
        "mmbench@dev",
        "Which animal is this?",
        "The passage below describes an animal.\nIt has feathers.",
        ("a cat", "a bird", "a dog"),
    ),
    Sample("mmbench", "mmbench@dev", "Which one is right?", options=("left", "right", "neither", "both")),
    Sample("mmbench-cn", "mmbench@cn-dev", "图中有几只狗？", options=("一只", "两只", "三只")),
    Sample("seed", "seed@llava", "How many towels are in the image?", options=("One", "Two", "Three", "Four")),
    Sample(
        "scienceqa",
        "scienceqa",
        "Which of the following could Gordon's test show?",
        "People can use the engineering-design process to develop solutions.",
        ("if the parachute would swing", "how steady the parachute was"),
    ),
    Sample("mmvet", "mmvet", "What is x in the equation?"),
    Sample("coco-cap", "coco-cap"),
    Sample("nocaps", "nocaps"),
)
BY_NAME = {sample.name: sample for sample in SAMPLES}
