"""Image-text models of transformers from a local folder: loaded without what no answer depends on."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Protocol, TypeAlias, cast

import torch
import transformers
from torch import Tensor, nn
from torch.distributed.tensor import DTensor
from transformers import AutoConfig, AutoProcessor, ProcessorMixin

from mipha_eval.core.errors import UserError
from mipha_eval.models.chat import Head
from mipha_eval.models.error_line import reason
from mipha_eval.models.forward_inputs import ImageFeatures
from mipha_eval.models.generator import generates_itself
from mipha_eval.models.image_processor import check_image_processor
from mipha_eval.models.image_tokens import complete
from mipha_eval.models.settings import read_settings
from mipha_eval.models.tokenizers import check_vocabulary, load_tokenizer, make_padding
from mipha_eval.models.weight_reader import is_finite

if TYPE_CHECKING:
    from transformers import PreTrainedConfig
    from transformers.utils.generic import ModelOutput

    from mipha_eval.models.generating_model import GeneratingModel

#: vision towers whose layers above the one that is read can be left out
TRIMMED_TOWERS = ("siglip_vision_model", "clip_vision_model")

#: models that read their tower at ``vision_feature_layer`` and nowhere else; Granite Vision reads more layers
ONE_LAYER = ("llava", "llava_next", "llava_next_video", "llava_onevision", "video_llava", "aya_vision")

#: what a tower puts out beside what the decoder reads
STEPS = ("last_hidden_state", "hidden_states", "attentions")

#: files that name a processor's class, the most telling first
PROCESSOR_FILES = ("processor_config.json", "preprocessor_config.json", "tokenizer_config.json")

#: precisions in safetensors' words
STORED_AS = {torch.float32: "F32", torch.bfloat16: "BF16", torch.float16: "F16"}


#: what a processor says of each token: whether it is text or an image
KINDS = "mm_token_type_ids"


class WithKinds(Protocol):
    """A processor that may say it."""

    return_mm_token_type_ids: bool


@torch.no_grad()
def take_over(folder: Path, model: nn.Module, *, mapped: bool) -> None:
    """Looks at every weight once, and takes those that lie in their files into memory of the process' own.

    Args:
        mapped: whether some are the files' own bytes: who wrote a file again would change a model that runs.

    Raises:
        UserError: a weight is not finite.
    """
    for name, parameter in model.named_parameters():
        weight = parameter.to_local() if isinstance(parameter, DTensor) else parameter  # a process' own share
        if mapped:
            weight.data = weight.data.clone()
        if weight.is_floating_point() and not is_finite(weight):
            raise UserError(f"{folder}: weight {name} has NaN or infinite values; the checkpoint is broken")


def load_processor(folder: Path) -> ProcessorMixin:
    """The processor, without its part for videos, which needs torchvision. Raises UserError if there is no usable one."""
    saved = [read_settings(folder / file) for file in PROCESSOR_FILES if (folder / file).is_file()]
    named = str(next(filter(None, (file.get("processor_class") for file in saved)), ""))
    check_image_processor(folder, saved)
    try:
        processor = _reader(named)(folder, trust_remote_code=False)
        if isinstance(processor, ProcessorMixin):
            check_vocabulary(folder, processor.tokenizer)
            make_padding(processor.tokenizer)
            config: PreTrainedConfig = AutoConfig.from_pretrained(folder, trust_remote_code=False)
            complete(folder, processor, config, saved[0] if saved else {})
            if KINDS in processor.model_input_names:  # Cosmos 3 Edge wants them, and its processor leaves them out
                cast(WithKinds, processor).return_mm_token_type_ids = True
            return processor
    except UserError:
        raise
    except Exception as error:  # whatever broken files or missing packages lead to
        load_tokenizer(folder)  # says what is wrong if it is that
        raise UserError(f"{folder} has no usable processor: {reason(error)}") from error
    raise UserError(
        f"{folder} has no processor for pictures: {', '.join(PROCESSOR_FILES)} name "
        + (f"{named}, which transformers {transformers.__version__} does not have" if named else "no processor_class")
    )


def _reader(name: str) -> Callable[..., object]:
    """What makes a processor of that class from a folder."""
    owner = getattr(transformers, name, None)
    if owner is None or "video_processor" not in owner.get_attributes():
        return AutoProcessor.from_pretrained
    return without_videos(owner).from_pretrained


class NoVideos(dict[str, object]):
    """Stands in for a processor's part for videos: that part's settings as far as its file has them, and no methods."""

    model_input_names: ClassVar[list[str]] = []

    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):  # what copying asks for
            raise AttributeError(name)
        return self.get(name)


def without_videos(owner: type[ProcessorMixin]) -> type[ProcessorMixin]:
    """A processor class that is read, and made of its parts by `from_args_and_dict`, without its part for videos."""
    attributes: Callable[[], Sequence[str]] = owner.get_attributes
    parts = [part for part in attributes() if part != "video_processor"]
    place = list(attributes()).index("video_processor")

    known: Callable[[ProcessorMixin, str, object], object] = owner.check_argument_for_proper_class

    def check(self: ProcessorMixin, name: str, part: object) -> object:
        """Takes what stands in for the part, too."""
        return NoVideos if isinstance(part, NoVideos) else known(self, name, part)

    checked = type(owner.__name__, (owner,), {"check_argument_for_proper_class": check})
    make: Callable[..., object] = cast(type[ProcessorMixin], checked).from_args_and_dict

    def from_parts(_: type, given: Sequence[object], settings: Mapping[str, object], /, **others: object) -> object:
        saved = settings.get("video_processor")
        stands_in = NoVideos(saved if isinstance(saved, Mapping) else ())
        return make([*given[:place], stands_in, *given[place:]], {**settings}, **others)

    own = {"get_attributes": staticmethod(lambda: parts), "from_args_and_dict": classmethod(from_parts)}
    return cast(type[ProcessorMixin], type(owner.__name__, (owner,), own))


def leave_out_dead_layers(config: PreTrainedConfig) -> bool:
    """Leaves out of a CLIP or SigLIP tower its pooling head and the layers above the one that is read; false elsewhere."""
    fields = config.to_dict()
    vision, select = fields.get("vision_config"), fields.get("vision_feature_layer")
    one = config.model_type in ONE_LAYER and isinstance(select, int)
    if not one or not vision or vision["model_type"] not in TRIMMED_TOWERS:
        return False
    tower = config.vision_config
    tower.num_hidden_layers = select % (tower.num_hidden_layers + 1)
    tower.vision_use_head = False
    config.vision_feature_layer = -1
    return True


class ImageEncoder(Protocol):
    """What is used of an image-text model without its head.

    Attributes:
        get_image_features: what the tower makes of what a processor made of images.
        get_rope_index: positions [axes, prompts, tokens] of prompts, and what else follows from them; of models with M-RoPE.
    """

    get_image_features: Callable[..., ModelOutput]
    get_rope_index: Callable[..., tuple[Tensor, object]]


def image_features(model: GeneratingModel, inputs: Mapping[str, Tensor]) -> ImageFeatures:
    """What the model's forward takes in place of pixels, from what the processor made of images."""
    encode = cast(ImageEncoder, model.base_model).get_image_features
    wanted = inspect.signature(encode).parameters
    return {"image": encode(**{name: value for name, value in inputs.items() if name in wanted}, return_dict=True)}


def takes_features(model: GeneratingModel) -> bool:
    """Whether a model says that it takes features in place of pixels, which its forward may still leave out."""
    return generates_itself(type(model)) and hasattr(model.base_model, "get_image_features")


def embedded(model: GeneratingModel, ids: Tensor, features: ImageFeatures | None, image_token: int) -> Tensor:
    """Embeddings [1, tokens, width] of prompts for the language model in a model, features in the places of images."""
    embeddings: Tensor = model.get_input_embeddings()(ids)
    if features is None:
        return embeddings
    places = torch.isin(ids, torch.tensor([image_token], device=ids.device))[..., None]
    return embeddings.masked_scatter(places, features["image"]["pooler_output"].to(embeddings))


def has_three_axes(config: PreTrainedConfig) -> bool:
    """Whether image tokens have positions in height, width and time (M-RoPE)."""
    return "mrope_section" in (getattr(config, "rope_parameters", None) or {})


def head_positions(model: GeneratingModel, head: Head) -> Tensor:
    """Positions [axes, tokens] of a head's tokens in a model with M-RoPE."""
    ids = torch.tensor([head.ids], device=model.device)
    inputs = {name: value.to(model.device) for name, value in head.inputs.items() if name.endswith("_thw")}
    kinds = None if head.kinds is None else head.kinds.to(model.device)
    index = cast(ImageEncoder, model.base_model).get_rope_index
    if "mm_token_type_ids" in inspect.signature(index).parameters:
        positions, _ = index(ids, mm_token_type_ids=kinds, **inputs)
    else:
        positions, _ = index(ids, **inputs)
    return positions[:, 0].cpu()


def joined_features(parts: Sequence[ImageFeatures]) -> ImageFeatures:
    """Features of several images, each encoded alone, as one: all that the tower made but what it made them from."""
    made = [part["image"] for part in parts]
    together = {name: _joined([each[name] for each in made]) for name in made[0] if name not in STEPS}
    return {"image": type(made[0])(**together)}


#: of an image, of each image, or of each layer of a tower
Features: TypeAlias = "Tensor | Sequence[Features]"


def _joined(values: Sequence[Features]) -> Features:
    """Tensors end to end, lists of images one behind the other, lists of such lists (one a layer) layer by layer."""
    tensors = [value for value in values if isinstance(value, Tensor)]
    if tensors:
        return torch.cat(tensors)
    lists = [value for value in values if not isinstance(value, Tensor)]
    if not lists[0] or isinstance(lists[0][0], Tensor):
        return [each for value in lists for each in value]
    return [_joined(layer) for layer in zip(*lists, strict=True)]
