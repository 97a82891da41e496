"""Prompts of image-text models as their processors make them, pictures preprocessed once however many questions follow."""

from __future__ import annotations

import contextlib
import copy
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from PIL.Image import Image as Picture
from torch import Tensor

from mipha_eval.core.errors import RequestError, UserError
from mipha_eval.models.collate import collate
from mipha_eval.models.image_marks import find_marks
from mipha_eval.models.llava_style.prompt import IMAGE_MARK
from mipha_eval.models.processed import KINDS, ImageProcessor, Preprocessed, first_row, is_plain, tensors_of
from mipha_eval.models.separator import closes_texts, without_separator
from mipha_eval.models.template import ANY_QUESTION
from mipha_eval.models.wording import AS_THE_CHECKPOINT, Message, Wording

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase, ProcessorMixin

#: stands for an answer
ANY_ANSWER = "<an answer>"

#: how a processor is asked for a batch, beside the side that is padded: with a mask, which a tokenizer may be told not to
#: make, for without one padding would be attended to
PADDED: Mapping[str, bool | str] = {"padding": True, "return_attention_mask": True, "return_tensors": "pt"}


@dataclass(frozen=True)
class Head:
    """The beginning of prompts about some images, until the last of the tokens that stand for them.

    Attributes:
        ids: empty where no token stands for the images.
        inputs: what the processor made of the images.
        kinds: [1, tokens], which tokens are text and which are images, where the processor says it.
        pictures, preprocessed: for complete prompts about them.
        prompts: ids of questions that were encoded ahead of time.
    """

    ids: tuple[int, ...]
    inputs: Mapping[str, Tensor]
    kinds: Tensor | None
    pictures: Sequence[Picture]
    preprocessed: Preprocessed
    prompts: dict[str, tuple[int, ...] | None] = field(default_factory=dict)


class Chat:
    """A processor with its chat template; without one, the bare question is the prompt.

    Args:
        image_token: the id that stands for images in a prompt's ids, as the model's configuration has it, else the mark's.
        wording: what stands around a question in place of the checkpoint's own template.
        encoded: whether prompts are read by an encoder, and padded behind.
        goes_on: whether a decoder goes on with a prompt as the processor makes it.

    Raises:
        UserError: the processor cannot be asked about images, or its template has no place for a system text that is wanted.
    """

    def __init__(
        self,
        processor: ProcessorMixin,
        image_token: int | None = None,
        wording: Wording = AS_THE_CHECKPOINT,
        *,
        encoded: bool = False,
        goes_on: bool = False,
    ) -> None:
        self._processor, self._left = processor, not encoded
        self._closed = goes_on and closes_texts(processor.tokenizer)
        self._own = threading.local()
        self.marks = find_marks(self._copy, image_token)
        #: what names of inputs begin with that are made by a tokenizer beside the prompt's
        parts: Callable[[], Sequence[str]] = processor.get_attributes
        beside = (part.removesuffix("tokenizer") for part in parts())
        self._beside = tuple(part for part in beside if part.endswith("_"))
        self._take(wording)

    def _take(self, wording: Wording) -> None:
        own = self._processor.chat_template or self._processor.tokenizer.chat_template
        self._wording, self._template = wording, wording.jinja(own["default"] if isinstance(own, dict) else own)
        self._before: list[Message] = []
        self._before = [] if wording.named else wording.opening(lambda before: self._filled(before, ANY_QUESTION, 0))
        wording.check(lambda question: self._filled(self._before, question, 0))

    def worded(self, wording: Wording) -> Chat:
        """The same with something else around questions. Raises UserError as a new one does."""
        other = copy.copy(self)
        other._take(wording)
        return other

    @property
    def pads(self) -> bool:
        """Whether the processor brings pictures to its shape by padding."""
        return bool(getattr(self._processor.image_processor, "do_pad", False))

    @property
    def mean(self) -> Sequence[float]:
        """The processor's mean colour, of red, green and blue, 0 to 1. Raises UserError if it has none."""
        mean = getattr(self._processor.image_processor, "image_mean", None)
        if not isinstance(mean, list | tuple) or len(mean) != 3:
            raise UserError("the image processor has no mean colour to pad pictures with; leave out image=pad")
        return mean

    @property
    def stop(self) -> str:
        """A token that ends an answer beside the model's own; "" for none."""
        return self._wording.named.stop if self._wording.named else ""

    @property
    def image_token(self) -> int:
        """The id that stands for images in a prompt's ids; -1 where none does."""
        return -1 if self.marks.token is None else self.marks.token

    @property
    def has_template(self) -> bool:
        return bool(self._template or self._wording.named)

    @property
    def tokenizer(self) -> PreTrainedTokenizerBase:
        """For the main thread, beside all else here, which any thread may call."""
        tokenizer: PreTrainedTokenizerBase = self._processor.tokenizer
        return tokenizer

    @property
    def _copy(self) -> ProcessorMixin:
        """This thread's processor: a tokenizer cannot serve two threads at once."""
        if "processor" not in vars(self._own):
            self._own.processor = copy.deepcopy(self._processor)
        own: ProcessorMixin = self._own.processor
        return own

    def render(self, question: str, images: int) -> str:
        """The prompt as text, a mark for each image."""
        if self._wording.named:
            return self._wording.named.around(question, images * self.marks.written, self.marks.mark)
        text = self._filled(self._before, question, images)
        if not isinstance(self._wording.template, str) or self.marks.mark in text * self.marks.written:
            return text
        if text.count(IMAGE_MARK) != images:
            raise RequestError(f"the prompt has {text.count(IMAGE_MARK)} marks {IMAGE_MARK} for {images} images")
        return text.replace(IMAGE_MARK, self.marks.mark)

    def _filled(self, before: Sequence[Message], question: str, images: int) -> str:
        if not self._template:
            return self.marks.mark * images + question
        content = [{"type": "image"}] * (images * self.marks.written) + [{"type": "text", "text": question}]
        try:
            text: str = self._copy.tokenizer.apply_chat_template(
                [*before, {"role": "user", "content": content}],
                chat_template=self._template,
                add_generation_prompt=True,
                tokenize=False,
            )
        except Exception as error:  # a template is a program
            raise RequestError(f"the chat template cannot be filled in: {error}") from error
        return text

    def behind_answer(self) -> str:
        """What the chat template writes behind an answer; "" where there is none, or it takes no answers."""
        if not self._template or self._wording.named:
            return ""
        asked = {"role": "user", "content": [{"type": "text", "text": ANY_QUESTION}]}
        for content in ([{"type": "text", "text": ANY_ANSWER}], ANY_ANSWER):
            with contextlib.suppress(Exception):  # a template is a program
                messages = [*self._before, asked, {"role": "assistant", "content": content}]
                text = str(self._copy.tokenizer.apply_chat_template(messages, chat_template=self._template, tokenize=False))
                if ANY_ANSWER in text:
                    return text.partition(ANY_ANSWER)[2]
        return ""

    def _rendered(self, question: str, images: int) -> str:
        marks = images + sum(map(question.count, self.marks.words))
        if marks != images:
            raise RequestError(f"the prompt has {marks} image marks for {images} images; does the question hold one?")
        return self.render(question, images)

    def _settings(self, text: str) -> dict[str, bool]:
        """A template that writes the beginning-of-text token itself must not get a second one."""
        begin = self._processor.tokenizer.bos_token if self._template else None
        return {"add_special_tokens": False} if begin and text.startswith(begin) else {}

    def head(self, pictures: Sequence[Picture]) -> Head:
        """Preprocesses the pictures of a prompt. Raises RequestError if the processor refuses them."""
        preprocessed = Preprocessed(self._processor.image_processor)
        made = self._made([ANY_QUESTION], [pictures], preprocessed)
        ids = made["input_ids"][0].tolist()
        length = max((place + 1 for place, token in enumerate(ids) if token == self.marks.token), default=0)
        kinds = next((made[name] for name in KINDS if name in made), None)
        return Head(
            ids=tuple(ids[:length]),
            inputs={name: value for name, value in made.items() if name in preprocessed.names},
            kinds=None if kinds is None else kinds[:, :length],
            pictures=pictures,
            preprocessed=preprocessed,
        )

    def ids(self, question: str, head: Head | None) -> tuple[int, ...] | None:
        """Token ids of a complete prompt, encoded at once by the processor's own call.

        None for a prompt about images that says more than its ids and its images do, or begins otherwise than others about
        them: what is in `head` does not hold for it. Raises RequestError.
        """
        if head and question in head.prompts:
            return head.prompts[question]
        made = self._text_inputs(question, head, {})  # as lists, which take half the time of tensors
        ids = tuple(first_row(made.pop("input_ids")))
        if head is None:
            return ids
        length = len(head.ids)
        plain = all(is_plain(name, value, head.kinds, length) for name, value in made.items())
        return ids if plain and length and ids[:length] == head.ids and len(ids) > length else None

    def prepare(self, questions: Sequence[str], head: Head) -> None:
        """Encodes questions ahead of time; those that cannot be will fail when they are asked."""
        for question in questions:
            with contextlib.suppress(RequestError):
                head.prompts[question] = self.ids(question, head)

    def image_tokens(self, picture: Picture) -> int:
        """Tokens of a shortest prompt about a picture."""
        return int(self.whole([ANY_QUESTION], [[picture]])["input_ids"].shape[1])

    def whole(self, questions: Sequence[str], pictures: Sequence[Sequence[Picture]]) -> dict[str, Tensor]:
        """What the processor makes of complete prompts, padded to one length. Raises RequestError."""
        each = self._processor.image_processor
        if not (self._beside or self.marks.alone):
            return self._made(questions, pictures, each)
        rows = zip(questions, pictures, strict=True)
        return self.together([self._made([question], [own], each) for question, own in rows])

    def together(self, prompts: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
        """Prompts, [1, tokens] at least, as one batch; what a Q-Former reads is padded behind, where its positions end."""
        names = dict.fromkeys(name for prompt in prompts for name in prompt)
        beside = {name for name in names if name.startswith(self._beside)}
        own = [{name: value for name, value in prompt.items() if name not in beside} for prompt in prompts]
        others = [{name: prompt[name] for name in beside if name in prompt} for prompt in prompts]
        padding = self._processor.tokenizer.pad_token_id
        return {**collate(own, left=self._left, ids=padding), **collate(others)}

    def text_inputs(self, question: str, head: Head | None) -> dict[str, Tensor]:
        """The text's part of a complete prompt, [1, tokens] at least, pictures not made again. Raises RequestError."""
        return tensors_of(self._text_inputs(question, head, self._padded))

    def _text_inputs(self, question: str, head: Head | None, settings: Mapping[str, bool | str]) -> dict[str, object]:
        given = ((), self._processor.image_processor) if head is None else (head.pictures, head.preprocessed)
        made = self._called([question], [given[0]], given[1], settings)
        return {name: value for name, value in made.items() if head is None or name not in head.preprocessed.names}

    def _made(
        self, questions: Sequence[str], pictures: Sequence[Sequence[Picture]], preprocess: ImageProcessor
    ) -> dict[str, Tensor]:
        return tensors_of(self._called(questions, pictures, preprocess, self._padded))

    @property
    def _padded(self) -> dict[str, bool | str]:
        return {**PADDED, "padding_side": "left" if self._left else "right"}

    def _called(
        self,
        questions: Sequence[str],
        pictures: Sequence[Sequence[Picture]],
        preprocess: ImageProcessor,
        settings: Mapping[str, bool | str],
    ) -> dict[str, object]:
        texts = [self._rendered(question, len(own)) for question, own in zip(questions, pictures, strict=True)]
        if len({bool(self._settings(text)) for text in texts}) > 1:
            raise RequestError("prompts that begin in different ways cannot be encoded together")
        given = self.marks.arguments(texts, pictures)
        processor = copy.copy(self._copy)
        processor.image_processor = preprocess
        try:
            special = self._settings(texts[0])
            made = processor(**given, **settings, **special)
            made = without_separator(made) if self._closed and not special else made
        except Exception as error:  # whatever odd pictures and texts lead to
            raise RequestError(f"the processor cannot make a prompt: {error}") from error
        aside = ("labels", *getattr(processor, "skip_tensor_conversion", ()))  # for training, and about the text
        return {name: value for name, value in made.items() if name not in aside and value is not None}
