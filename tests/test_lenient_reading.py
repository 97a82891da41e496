"""The lenient reading: what models write and who writes so, and what a result says of it."""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from mipha_eval.core.alphabet import LETTERS
from mipha_eval.core.plugins.registry import Registry
from mipha_eval.core.plugins.selection import build_task
from mipha_eval.core.task import Task
from mipha_eval.core.types import Response, Sample
from mipha_eval.data.parse_source import parse_source
from mipha_eval.scoring.adversarial import adversarial_answer
from mipha_eval.scoring.answers.lenient import lenient_equal, read_letter, read_short, read_yes_no
from mipha_eval.scoring.answers.wrapping import unwrapped, wrappers
from mipha_eval.scoring.result import score_responses
from mipha_eval.scoring.result_record import Moves
from tests import lenient_cases as more
from tests.conftest import Cli, write_jsonl
from tests.judge_server import Say, Serve
from tests.oracles import pope
from tests.test_ugly_answers import write_json, write_tsv

#: who writes so; VLMEvalKit is open-compass/VLMEvalKit at e8e78f0, whose adapters take such things off
SOURCES = {
    "asked": "asked for in so many words by the prompt of LLaVA-1.5 and Mipha",
    "llava15": "LLaVA-1.5-13B's own answer files",
    "next": "LLaVA-NeXT-34B's answers to MMStar, as VLMEvalKit publishes them",
    "matching": "VLMEvalKit, vlmeval/utils/matching_util.py: chat models' statements",
    "prefixes": "VLMEvalKit, vlmeval/dataset/utils/multiple_choice.py: introductions of chat models",
    "cmmmu": "VLMEvalKit, vlmeval/dataset/cmmmu.py and image_mcq.py: introductions in Chinese",
    "llava-tokens": "VLMEvalKit, vlmeval/vlm/llava/llava.py: end tokens of LLaVA-NeXT and OneVision",
    "idefics": "VLMEvalKit, vlmeval/vlm/idefics.py",
    "llama": "VLMEvalKit, vlmeval/vlm/llama_vision.py: Llama 3.2 Vision",
    "puzzle": "VLMEvalKit, vlmeval/dataset/utils/puzzlevqa.py",
    "kimi": "VLMEvalKit, vlmeval/api/kimivl_api.py: Kimi-VL-Thinking",
    "glm": "VLMEvalKit, vlmeval/dataset/babyvision.py: GLM-4.1V-Thinking",
    "intern": "VLMEvalKit, vlmeval/api/adapters/interns1_1.py: the opening mark stands in the prompt",
    "boxed": "VLMEvalKit, vlmeval/vlm/internvl/internvl_chat.py: InternVL, asked for a box",
    "taichu": "VLMEvalKit, vlmeval/api/taichu.py: a box in an answer tag",
    "speaker": "VLMEvalKit, vlmeval/dataset/av_speakerbench.py",
    "mac": "VLMEvalKit, vlmeval/dataset/macbench.py",
    "reasoning": "EvolvingLMMs-Lab/lmms-eval#1100: Qwen3-VL and others, with a mark that never closes",
    "onevision": "EvolvingLMMs-Lab/lmms-eval#1208: LLaVA-OneVision 1.5 RL",
    "closing": "EvolvingLMMs-Lab/lmms-eval#1237: only the closing mark",
    "unclosed": "huggingface/lighteval#869: what does not close is no answer",
    "cot": "PKU-YuanGroup/LLaVA-CoT#12 and #16",
    "gym": "NVIDIA-NeMo/Gym#1844: boxes of reasoning models",
    "skills": "NVIDIA-NeMo/Skills#1526: a stated answer beside a formula in a box",
    "distractor": "jundot/omlx#3668: models that go on after their answer",
    "evals": "openai/evals#744",
    "harmony": "openai/harmony, docs/format.md: gpt-oss",
    "pope": "AoiDragon/POPE#19 and CRIPAC-DIG/LogicCheckGPT#1: mPLUG-Owl and LLaVA-1.5",
    "fault": "reported for this project",
    "none": "no known model; what must not be read",
}

OPTIONS = ("a dog", "a cat", "a bird", "a fish")

#: (source, text, letter read with OPTIONS)
LETTER_CASES = [
    ("asked", "B", "B"),
    ("evals", "b)", "B"),
    ("evals", "b) a cat,", "B"),
    ("fault", "Answer: B", "B"),
    ("fault", "**B**", "B"),
    ("fault", r"\boxed{B}", "B"),
    ("fault", "Option B", "B"),
    ("fault", "B - a cat", "B"),
    ("fault", "(B) because it has whiskers", "B"),
    ("fault", "答案：B", "B"),
    ("fault", "Ｂ", "B"),
    ("fault", "（Ｂ）。", "B"),
    ("fault", "<think>A? no.</think> B", "B"),
    ("fault", "B\nFire is hot.", "B"),
    ("fault", "I think it is B", "B"),
    ("fault", "The correct option is B: cat", "B"),
    ("fault", "Answer is (b)", "B"),
    ("next", "B: a cat", "B"),
    ("next", "(B) 0.21", "B"),
    ("matching", "The correct answer is **B**. Here's why: it has whiskers.", "B"),
    ("matching", "The answer is C.", "C"),
    ("prefixes", "The best answer is: (B)", "B"),
    ("prefixes", "Best option: B", "B"),
    ("cmmmu", "最佳答案为：B", "B"),
    ("cmmmu", "因此，正确答案是B。", "B"),
    ("cmmmu", "应选择B", "B"),
    ("llava-tokens", "B</s>", "B"),
    ("llava-tokens", "B<|im_end|>\n<|im_start|>user\nC", "B"),
    ("llama", "**Answer:** B<|eot_id|>", "B"),
    ("llama", "<|start_header_id|>assistant<|end_header_id|>\n\nB<|eot_id|>", "B"),
    ("idefics", "Assistant: Answer: B<end_of_utterance>", "B"),
    ("puzzle", "B<|endoftext|>", "B"),
    ("kimi", "◁think▷A or C?◁/think▷B", "B"),
    ("kimi", "◁think▷it is B", ""),
    ("glm", "<think>A.</think><answer><|begin_of_box|>B<|end_of_box|></answer>", "B"),
    ("intern", "A or C, perhaps.\n</think>\n\nB", "B"),
    ("boxed", r"It has whiskers. The answer is $\boxed{B}$.", "B"),
    ("taichu", r"<think>A</think><answer> \boxed{B} </answer>", "B"),
    ("speaker", "<think>A</think><answer>B", "B"),
    ("mac", "[ANSWER]B[/ANSWER]", "B"),
    ("onevision", "<analysis>A is a dog.</analysis><answer>B</answer>", "B"),
    ("reasoning", "<think>The answer is A", ""),
    ("closing", "A is a dog.</think>B", "B"),
    ("unclosed", "<think>B", ""),
    ("cot", "(Here begins the REASONING stage) A. (Here ends the REASONING stage) (Here begins the CONCLUSION stage) **B** "
     "(Here ends the CONCLUSION stage)", "B"),
    ("cot", "<SUMMARY>A</SUMMARY><REASONING>C</REASONING><CONCLUSION> B </CONCLUSION>", "B"),
    ("gym", r"\boxed{\text{B}}", "B"),
    ("gym", r"\boxed{B: A polygenic risk score}", "B"),
    ("skills", "So $E = mc^2$.\n\n**Answer: B**", "B"),
    ("distractor", "The answer is B. Note that A is a common distractor.", "B"),
    ("distractor", "ANSWER IS D. A is incorrect.", "D"),
    ("harmony", "<|channel|>analysis<|message|>A?<|end|><|start|>assistant<|channel|>final<|message|>B<|return|>", "B"),
    ("fault", "A cat", "B"),
    ("fault", "The answer is a fish.", "D"),
    ("none", "not B", ""),
    ("none", "It isn't B.", ""),
    ("none", "I don't think it is B", ""),
    ("none", "B is wrong", ""),
    ("none", "A or B", ""),
    ("none", "(a) or (b)", ""),
    ("none", "The answer is A and B", ""),
    ("none", "The answer is A. The answer is B.", ""),
    ("none", "B\nA", ""),
    ("none", r"\boxed{A} or \boxed{B}", ""),
    ("none", "<answer>A</answer><answer>B</answer>", ""),
    ("none", "A. a dog\nB. a cat\nC. a bird\nD. a fish", ""),
    ("none", "B. a dog", ""),
    ("none", "B (a dog)", ""),
    ("none", "B, not A", ""),
    ("distractor", "The answer is B, not A.", "B"),
    ("distractor", "B\n\nQuestion: Which other?\nA. x\nB. y\nAnswer: A", "B"),
    ("asked", "Question: Which?\nAnswer: B", "B"),
    ("asked", "b because it has whiskers", "B"),
    ("asked", "Answer - B", "B"),
    ("gym", r"\fbox{B}", "B"),
    ("none", "It is a cat, not a dog", ""),
    ("none", "It's not a cat", ""),
    ("none", "The answer is a horse.", ""),
    ("none", "A horse", ""),
    ("none", "I see nothing.", ""),
    ("none", "I", ""),
    ("none", "E", ""),
    ("none", "E. coli", ""),
    ("none", "25 °C", ""),
    ("none", "T-shirt", ""),
    ("none", "U.S.A.", ""),
    ("none", "It's a B-52", ""),
    ("none", "ABBA", ""),
    ("none", "猫", ""),
]  # fmt: skip

#: (source, text, options, letter)
OTHER_OPTIONS = [
    ("llava15", "B is the run-on sentence.", ("Listened to music.", "He won't get lost I will give him directions."), "B"),
    ("llava15", "C. common", ("choke", "common"), ""),
    ("next", "B: Bird C", ("Bird A", "Bird C"), "B"),
    ("next", "Solution B", ("neither; they are the same", "Solution A", "Solution B"), "C"),
    ("next", "The answer is Solution B.", ("neither; they are the same", "Solution A", "Solution B"), "C"),
    ("distractor", "The answer is C because I computed the integral.", tuple(f"thing {n}" for n in range(10)), "C"),
    ("fault", "I think so", tuple(f"thing {n}" for n in range(10)), ""),
    ("fault", "The answer is I.", tuple(f"thing {n}" for n in range(10)), "I"),
    ("fault", "The answer is a fire.", ("a fire", "ice"), "A"),
    ("fault", "The answer is a fire.", ("ice", "a fire"), "B"),
    ("none", "a fire", ("ice", "snow"), ""),
    ("none", "2", ("1", "2", "3"), "B"),
    ("none", "-5", ("5", "-5"), "B"),
    ("none", "No, there is not.", ("yes", "no"), "B"),
    ("none", "It is a black cat", ("cat", "black cat"), "B"),
    ("none", "cat", ("cat", "a cat"), "A"),
    ("none", "The cat!", ("cat", "a cat"), ""),
    ("none", "B", ("", "", "", ""), "B"),
    ("none", "D", ("one", "two", "three", ""), ""),
]

#: (source, text, yes or no)
YES_NO_CASES = [
    ("asked", "Yes", "yes"),
    ("asked", "no", "no"),
    ("fault", "NO", "no"),
    ("fault", "no!", "no"),
    ("fault", "Answer: No.", "no"),
    ("fault", "**Yes**", "yes"),
    ("fault", r"\boxed{no}", "no"),
    ("fault", "是", "yes"),
    ("fault", "否", "no"),
    ("fault", "不是。", "no"),
    ("fault", "图中没有狗", "no"),
    ("fault", "<think>There is no doubt.</think>\nYes", "yes"),
    ("fault", "<think>It seems so. Yes?</think>No", "no"),
    ("pope", "Yes, there is a dog in the image.", "yes"),
    ("pope", "No, there isn't a dog in the image.", "no"),
    ("pope", "There is no dog in the image.", "no"),
    ("pope", "maybe", ""),
    ("pope", "not sure", ""),
    ("fault", "Not visible", "no"),
    ("llava-tokens", "Yes</s>", "yes"),
    ("intern", "hm, no cat\n</think>\nYes.", "yes"),
    ("harmony", "<|channel|>analysis<|message|>no<|end|><|start|>assistant<|channel|>final<|message|>Yes<|return|>", "yes"),
    ("none", "yes and no", ""),
    ("none", "No. Yes.", ""),
    ("none", "no, the answer is yes", ""),
    ("none", "I can't say yes or no", ""),
    ("none", "There is a cat.", ""),
    ("none", "There is no doubt that there is a dog.", ""),
    ("none", "No image was provided", ""),
    ("none", "no idea", ""),
    ("none", "notice", ""),
    ("none", "None", ""),
    ("none", "是不是", ""),
    ("none", "", ""),
]

#: (source, text, short answer)
SHORT_CASES = [
    ("asked", "red", "red"),
    ("fault", "Red.", "Red"),
    ("fault", "Answer: red", "red"),
    ("prefixes", "The best answer is: red", "red"),
    ("reasoning", "<think>blue?</think>red", "red"),
    ("llava-tokens", "red<|im_end|>", "red"),
    ("fault", "**red**", "red"),
    ("boxed", r"$\boxed{\text{red}}$", "red"),
    ("cot", "(Here begins the CONCLUSION stage) **6** (Here ends the CONCLUSION stage)", "6"),
    ("fault", "red\nBecause the whole car is red.", "red"),
    ("none", "red\nor blue", "red\nor blue"),
    ("none", "$5", "$5"),
    ("none", "-5", "-5"),
    ("none", "file_name.txt", "file_name.txt"),
    ("none", "11:30", "11:30"),
]


MORE_OTHER_OPTIONS = [(kind, text, more.SENTENCES, letter) for kind, text, letter in more.SENTENCE_LETTERS]


@pytest.mark.parametrize(("source", "text", "letter"), [*LETTER_CASES, *more.LETTERS], ids=repr)
def test_letters(source: str, text: str, letter: str) -> None:
    assert source in {*SOURCES, *more.KINDS}
    assert read_letter(text, OPTIONS) == letter


@pytest.mark.parametrize(("source", "text", "options", "letter"), [*OTHER_OPTIONS, *MORE_OTHER_OPTIONS], ids=repr)
def test_letters_of_other_options(source: str, text: str, options: tuple[str, ...], letter: str) -> None:
    assert source in {*SOURCES, *more.KINDS}
    assert read_letter(text, options) == letter


@pytest.mark.parametrize(("source", "text", "said"), [*YES_NO_CASES, *more.YES_NO], ids=repr)
def test_yes_and_no(source: str, text: str, said: str) -> None:
    assert source in {*SOURCES, *more.KINDS}
    assert read_yes_no(text) == said


@pytest.mark.parametrize(("source", "text", "short"), [*SHORT_CASES, *more.SHORT], ids=repr)
def test_short_answers(source: str, text: str, short: str) -> None:
    assert source in {*SOURCES, *more.KINDS}
    assert read_short(text) == short


@pytest.mark.parametrize("place", range(26))
def test_every_letter_of_26_options(place: int) -> None:
    options = [f"thing {number:02}" for number in range(26)]
    letter = LETTERS[place]
    for dress in ("{}", "{}.", "({})", "Answer: {}", "The answer is {}.", "**{}**", "\\boxed{{{}}}", "Option {}", "{}: it"):
        assert read_letter(dress.format(letter), options) == letter
    assert read_letter(options[place], options) == letter
    assert read_letter(letter, options[:place]) == ""


def test_what_is_taken_off_is_told() -> None:
    held: Mapping[str, list[str]] = {
        "red": [],
        "<think>a</think>red": ["<think>"],
        "a</think>red": ["<think>"],
        "<think>a": ["<think>", "<think> unclosed"],
        "red</s></s>": ["</s>"],
        "<answer>red</answer><|im_end|>": ["<answer>", "<|im_end|>"],
        "a < b > c [x] (Here)": [],
    }
    assert {text: wrappers(text) for text in held} == held


@given(st.text(alphabet="AB ab.,:(){}[]<>/|*\n\\ isnotorthe答案是", max_size=40))
@settings(max_examples=400, deadline=None)
def test_no_text_breaks_the_reader(text: str) -> None:
    """What is read is an option, and taking off what is around an answer leaves nothing to be taken off from a letter."""
    assert read_letter(text, OPTIONS) in ("", *"ABCD")
    assert read_yes_no(text) in ("", "yes", "no")
    assert unwrapped(f"<think>{text.replace('<', '')}</think>B") == "B"
    assert read_short(text) is not None


# ---- beside the official rules

CONCLUSION = "(Here begins the CONCLUSION stage)"
HEADS = ("", "x", "The answer is ", "Answer:", "<think>", "<answer>", "no, ", "\\boxed{", "（")
REPEATED = (
    *(
        "A ",
        "B\n",
        "A or B, ",
        "a b ",
        "not ",
        "no ",
        "yes. ",
        "answer ",
        "answer is ",
        "the ",
        "most likely ",
        "so, ",
        "is ",
    ),
    *(
        "(",
        "((B) ",
        "[",
        "{",
        "<",
        '"',
        "'",
        "*",
        "**",
        "_ ",
        "`",
        "#",
        "-",
        " - ",
        "$",
        ".",
        "?",
        ":",
        " ",
        "\n",
        "\t",
        " \n",
    ),
    *(
        "\\boxed{",
        "\\text{",
        "<think>",
        "</think>",
        "<answer>",
        "<|",
        "<|im_end|>",
        "<s> ",
        "<b>",
        "```\n",
        "（",
        "答案",
        "是不是",
    ),
    *(
        "\nuser:",
        "assistant: ",
        "question: x\n",
        '{"answer":',
        "(Here begins the CONCLUSION stage)",
        "a cat ",
        "is most ",
        "Ａ",
    ),
)


@pytest.mark.parametrize("repeated", REPEATED, ids=ascii)
def test_long_texts_are_read(repeated: str) -> None:
    """20,000 characters of one kind; where a pattern tried every way to divide them, this would take minutes."""
    for head in HEADS:
        text = head + repeated * (20_000 // len(repeated))
        assert read_letter(text, OPTIONS) in ("", *"ABCD")
        assert read_yes_no(text) in ("", "yes", "no")
        assert len(read_short(text)) <= len(text)
        assert set(wrappers(text)) <= {
            "<think>",
            "<think> unclosed",
            "<answer>",
            "<|im_end|>",
            "<s>",
            "(Here begins the CONCLUSION stage)",
        }


NAMES = ("pope", "mme", "vqav2", "gqa", "textvqa", "vizwiz", "scienceqa", "seed", "mmbench")
DRESSES = (
    *(
        "{}",
        "**{}**",
        "Answer: {}",
        "<think>no, A</think>{}",
        "<think>{}",
        "{}</s>",
        "\\boxed{{{}}}",
        "({})",
        "{}, not that",
    ),
    *("not {}", "{}\nA man is standing there.", "The answer is {}.", "{} or A", "I think it is {}", "<answer>{}</answer>"),
)


@pytest.fixture(scope="module")
def demo() -> dict[str, tuple[Task, list[Sample]]]:
    source = parse_source("demo", {})
    made = {name: build_task(name, {}, source, Registry()) for name in NAMES}
    return {name: (task, list(task.samples())) for name, task in made.items()}


@pytest.mark.parametrize("name", NAMES)
@given(seed=st.integers(0, 10**9))
@settings(max_examples=12, deadline=None)
def test_never_below_the_official_rule(demo: Any, name: str, seed: int) -> None:
    """On adversarial answers, dressed up once more: every answer, and the headline; and the counts are of these answers."""
    task, samples = demo[name]
    rng = random.Random(seed)
    asked = [sample for sample in samples if rng.random() < 0.4 or sample.group]
    texts = [rng.choice(DRESSES).format(adversarial_answer(rng, sample, samples)) for sample in asked]
    responses = {sample.id: Response(text) for sample, text in zip(asked, texts, strict=True)}
    result = score_responses(task, asked, responses)
    summary = result.summary
    official = {score.sample: score.value for score in result.scores}
    lenient = {sample.id: float(task.lenient(sample, responses[sample.id].text) or 0) for sample in asked}
    assert (summary.lenient or 0) >= summary.metrics[summary.headline] - 1e-9
    assert structs.asdict(summary.lenient_moves or Moves()) == {
        "to_right": sum(lenient[key] > value for key, value in official.items()),
        "to_wrong": sum(lenient[key] < value for key, value in official.items()),
    }


PIECES = (
    *(
        "A",
        "B",
        "a",
        "b",
        "I",
        "yes",
        "no",
        "Yes",
        "No",
        "not",
        "or",
        "and",
        "is",
        "the answer is",
        "Answer:",
        "option",
        "2",
        "red",
    ),
    *(
        " ",
        "\n",
        ".",
        ",",
        "?",
        "(",
        ")",
        "**",
        "\\boxed{",
        "}",
        "<think>",
        "</think>",
        "<answer>",
        "</s>",
        "<|im_end|>",
        "答案",
        "是",
    ),
)
TEXTS = st.one_of(st.text(max_size=30), st.lists(st.sampled_from(PIECES), max_size=12).map("".join))


@pytest.mark.parametrize("name", NAMES)
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_no_answer_is_worth_less(demo: dict[str, tuple[Task, list[Sample]]], name: str, data: st.DataObject) -> None:
    """Of any text, alone and beside others: the lenient headline is never below the official one, and nothing raises."""
    task, samples = demo[name]
    rng = random.Random(data.draw(st.integers(0, 10**9)))
    asked = rng.sample(samples, 3)
    texts = [data.draw(TEXTS) + rng.choice(("", *asked[0].label_texts)) for _ in asked[1:]]
    texts.append(adversarial_answer(rng, asked[-1], samples))
    responses = {sample.id: Response(text) for sample, text in zip(asked, texts, strict=True)}
    for group in ([asked[0]], [asked[1]], [asked[2]], asked):
        summary = score_responses(task, group, {sample.id: responses[sample.id] for sample in group}).summary
        official = summary.metrics.get(summary.headline)
        assert (official is None) == (summary.lenient is None)
        assert official is None or (summary.lenient or 0) >= official - 1e-9


@pytest.mark.parametrize("name", NAMES)
def test_right_answers_in_any_dress_are_right(demo: Any, name: str) -> None:
    """Where nothing but dress is around a right answer, the lenient headline is what the bare answers have officially."""
    task, samples = demo[name]
    bare = {sample.id: Response(sample.target[0]) for sample in samples}
    best = score_responses(task, samples, bare).summary
    for dress in (
        "<think>no, A</think>\n{}",
        "Answer: {}",
        "**{}**",
        "{}</s>",
        "\\boxed{{{}}}",
        "{}<|im_end|>\n",
        "<answer>{}</answer>",
    ):
        dressed = {sample.id: Response(dress.format(sample.target[0])) for sample in samples}
        summary = score_responses(task, samples, dressed).summary
        assert (summary.lenient or 0) >= best.metrics[best.headline] - 1e-9, dress


def test_gqa_reads_sentences_to_yes_no_questions() -> None:
    assert lenient_equal("Yes, it is.", "yes")
    assert lenient_equal("There is no dog.", "no")
    assert not lenient_equal("There is no dog.", "dog")
    assert lenient_equal("It is a dog.", "dog")


# ---- what a result says


def write_pope(folder: Path) -> list[dict[str, Any]]:
    """Label files of the release with 2,910 random questions; returns answers that a reasoning model would give."""
    answers = []
    for place, (category, repeats) in enumerate({"adversarial": 1, "random": 970, "popular": 1}.items()):
        labels = [("Is there a cat?", "yes"), ("Is there a dog?", "no"), ("Is there a cow?", "yes")] * repeats
        rows = [
            {"question_id": number, "image": "1.jpg", "text": question, "label": label}
            for number, (question, label) in enumerate(labels, start=1)
        ]
        write_jsonl(folder / f"pope/coco/coco_pope_{category}.json", rows)
        for number, (question, label) in enumerate(labels, start=1):
            text = f"<think>Is there no doubt?</think>\n{label.title()}"
            answers.append({"question_id": place * 10_000_000 + number, "prompt": question, "text": text})
    return answers


def test_reasoning_shows_in_the_result(cli: Cli, tmp_path: Path) -> None:
    """The official number stays what the official scorer gives; beside it stands why."""
    answers = write_pope(tmp_path)
    flags = ["pope", "--data", tmp_path, "--answers", write_jsonl(tmp_path / "answers.jsonl", answers)]
    result = cli("score", *flags, "--json").json
    assert result["metrics"]["f1"] == 0
    assert (result["lenient"], result["unparsed"]) == (100, 0)
    assert result["wrapped"] == {"<think>": len(answers)}
    assert result["lenient_moves"] == {"to_right": 2 * len(answers) // 3, "to_wrong": 0}
    told = " ".join(cli("score", *flags).out.split())
    assert f"{len(answers):,} of {len(answers):,} answers hold <think>" in told
    assert "100.00 under a more forgiving reading, which finds" in told


def test_thoughts_are_told_beside_the_official_score(cli: Cli, tmp_path: Path) -> None:
    """Some thoughts hold a "no" for the official rule, some do not; the number is the official script's all the same."""
    answers = write_pope(tmp_path)
    for place, row in enumerate(answers):
        if place % 4:
            row["text"] = row["text"].replace("Is there no doubt?", "I see it.")
    path = write_jsonl(tmp_path / "answers.jsonl", answers)
    official = pope.score(tmp_path, path).metrics
    flags = ["score", "pope", "--data", tmp_path, "--answers", path]
    result = cli(*flags, "--json").json
    assert 0 < official["f1"] < 100
    assert result["metrics"]["f1"] == official["f1"]
    assert (result["lenient"], result["wrapped"]) == (100, {"<think>": len(answers)})
    told = " ".join(cli(*flags).out.replace("\N{NO-BREAK SPACE}", " ").split())
    assert f"HOLD <think> {len(answers):,}" in told
    assert f"which finds {result['lenient_moves']['to_right']:,} (" in told


def test_thoughts_are_told_by_a_run_and_its_report(cli: Cli, tmp_path: Path) -> None:
    answer = "answer=<think>There is no doubt.</think> Yes"
    flags = ["run", "--tasks", "pope", "--data", "demo", "--limit", 12, "--model", "constant", "-a", answer, "-o", tmp_path]
    shown = " ".join(cli(*flags).out.replace("\N{NO-BREAK SPACE}", " ").split())
    (folder,) = tmp_path.glob("*__*")
    report = (folder / "report.md").read_text(encoding="utf-8").replace("\N{NO-BREAK SPACE}", " ")
    result = cli("score", folder, "--json").json
    right, wrong = result["lenient_moves"]["to_right"], result["lenient_moves"]["to_wrong"]
    assert right > 0
    assert wrong > 0
    assert "HOLD <think> 12" in shown
    for text in (report, " ".join(cli("score", folder).out.replace("\N{NO-BREAK SPACE}", " ").split())):
        assert f"{result['lenient']:.2f} under a more forgiving reading, which finds {right} (" in text
        assert f"and would find {wrong} (" in text
    assert "HOLD &lt;think> 12" in report


def test_a_run_and_its_report_tell_of_special_tokens(cli: Cli, tmp_path: Path) -> None:
    run = [
        "run",
        "--tasks",
        "pope",
        "--data",
        "demo",
        "--limit",
        "12",
        "--model",
        "constant",
        "-a",
        "answer=Yes</s>",
        "-o",
        tmp_path,
    ]
    told = cli(*run)
    assert "12 of 12 answers hold </s>" in " ".join(told.out.split())
    (folder,) = tmp_path.glob("*__*")
    report = (folder / "report.md").read_text(encoding="utf-8")
    assert "12 of 12 answers hold &lt;/s>" in report
    assert "under a more forgiving reading" in report


def test_answers_for_a_server_are_looked_at_too(demo: Any) -> None:
    task, samples = demo["gqa"]
    unlabelled = [Sample(sample.id, sample.prompt, (), sample.images, sample.question_id) for sample in samples[:3]]
    responses = {sample.id: Response("<think>red") for sample in unlabelled}
    summary = score_responses(task, unlabelled, responses).summary
    assert (summary.unlabelled, summary.lenient) == (3, None)
    assert summary.wrapped == {"<think>": 3, "<think> unclosed": 3}


@pytest.mark.parametrize("text", ["The answer is a fire.", "a fire", "A fire", "It is a fire", "Answer: a fire"])
def test_an_article_is_no_letter(text: str, cli: Cli, tmp_path: Path) -> None:
    """Every answer names option B; the right one is A."""
    problem = {"choices": ["ice", "a fire"], "answer": 0}
    asked = {"id": "0", "conversations": [{"value": "Which?\nA. ice\nB. a fire"}], "image": "0/image.png"}
    for name, stored in {"problems": {"0": problem}, "llava_test_CQM-A": [asked], "pid_splits": {"test": ["0"]}}.items():
        write_json(tmp_path / f"scienceqa/{name}.json", stored)
    answers = write_jsonl(tmp_path / "answers.jsonl", [{"question_id": "0", "text": text}])
    result = cli("score", "scienceqa", "--data", tmp_path, "--answers", answers, "--json").json
    assert (result["metrics"]["img"], result["lenient"]) == (0, 0)


def test_beside_a_judge(cli: Cli, serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a judge takes for right stays right under the lenient reading, which cannot read it."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-none")
    rows = [{"index": 1, "question": "Which one?", "hint": "", "A": "a dog", "B": "a cat", "answer": "B", "category": "ocr"}]
    write_tsv(tmp_path / "mmbench/mmbench_dev_20230712.tsv", rows)
    prompt = "Which one?\nA. a dog\nB. a cat"
    answers = write_jsonl(tmp_path / "a.jsonl", [{"question_id": 1, "prompt": prompt, "text": "the one with the whiskers"}])
    flags = ["score", "mmbench", "--data", tmp_path, "--answers", answers, "--json"]
    assert (cli(*flags).json["lenient"], cli(*flags).json["unparsed"]) == (0, 1)
    server = serve(lambda prompt, before: Say("B"))
    judged = cli(*flags, "--judge", "m", "--judge-base-url", server.url).json
    assert (judged["metrics"]["accuracy[m]"], judged["lenient"]) == (100, 100)
    assert judged["lenient_moves"] == {"to_right": 0, "to_wrong": 1}
