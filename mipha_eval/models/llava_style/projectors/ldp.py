"""MobileVLM's projectors, which halve a picture's rows and columns by convolutions.

Source: Meituan-AutoML/MobileVLM at 688fdec, ``mobilevlm/model/vision_projector.py``, with the blocks of torchvision's
``mobilenetv3`` and timm's ``LayerNormAct2d`` that it is made of; the modules have their names.
"""

from __future__ import annotations

from collections import OrderedDict

from torch import Tensor, nn

from mipha_eval.models.llava_style.projectors.projector import Grid, Projector

#: rows and columns of tokens that the second version pools to
POOLED = 12


class ChannelNorm(nn.LayerNorm):
    """Layer norm over the channels of [images, channels, rows, columns]."""

    def forward(self, values: Tensor) -> Tensor:
        """The same shape."""
        return super().forward(values.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class SqueezeExcitation(nn.Module):
    """Weighs channels by what their means say."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        fewer = max(8, (channels // 4 + 4) // 8 * 8)  # to a multiple of 8, but not below nine tenths
        fewer += 8 if fewer < 0.9 * (channels // 4) else 0
        self.fc1, self.fc2 = nn.Conv2d(channels, fewer, 1), nn.Conv2d(fewer, channels, 1)

    def forward(self, values: Tensor) -> Tensor:
        """Maps [images, channels, rows, columns] to the same shape."""
        means = values.mean((2, 3), keepdim=True)
        scale: Tensor = nn.functional.hardsigmoid(self.fc2(nn.functional.relu(self.fc1(means))))
        return scale * values


class DepthwiseBlock(nn.Module):
    """A depthwise convolution, squeeze and excitation, a pointwise one; added to what comes in where that is as large."""

    def __init__(self, channels: int, stride: int) -> None:
        super().__init__()
        depthwise = nn.Conv2d(channels, channels, 3, stride, 1, groups=channels, bias=False)
        pointwise = nn.Conv2d(channels, channels, 1, bias=False)
        self._adds = stride == 1
        self.block = nn.Sequential(
            nn.Sequential(depthwise, ChannelNorm(channels), nn.Hardswish()),
            SqueezeExcitation(channels),
            nn.Sequential(pointwise, ChannelNorm(channels)),
        )

    def forward(self, values: Tensor) -> Tensor:
        """Maps [images, channels, rows, columns] to the same, or to half the rows and columns."""
        found: Tensor = self.block(values)
        return found + values if self._adds else found


class DownsampleProjector(nn.Module):
    """``ldpnet``: an MLP, then two depthwise blocks, of which the second halves rows and columns."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        mlp = nn.Sequential(nn.Identity(), nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, hidden))
        blocks = nn.Sequential(nn.Identity(), DepthwiseBlock(hidden, 1), DepthwiseBlock(hidden, 2))
        self.model = nn.ModuleDict({"mlp": mlp, "mb_block": blocks})

    def forward(self, patches: Tensor) -> Tensor:
        """Maps [images, patches, width] to [images, tokens, hidden]."""
        return _rows(self.model["mb_block"](_square(self.model["mlp"](patches))))


class PoolingProjector(nn.Module):
    """``ldpnetv2``: an MLP, pooling to `POOLED` rows and columns, and a depthwise convolution added to it."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        layers = nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, hidden))
        self.mlp = nn.Sequential(OrderedDict(mlp=layers))
        self.peg = nn.Sequential(OrderedDict(peg=nn.Sequential(nn.Conv2d(hidden, hidden, 3, 1, 1, groups=hidden))))

    def forward(self, patches: Tensor) -> Tensor:
        """Maps [images, patches, width] to [images, tokens, hidden]."""
        pooled = nn.functional.adaptive_avg_pool2d(_square(self.mlp(patches)), (POOLED, POOLED))
        return _rows(self.peg(pooled) + pooled)


def _square(tokens: Tensor) -> Tensor:
    """[images, tokens, channels] as [images, channels, rows, columns]."""
    side = round(tokens.shape[1] ** 0.5)
    return tokens.transpose(1, 2).reshape(len(tokens), -1, side, side)


def _rows(values: Tensor) -> Tensor:
    """The other way."""
    return values.flatten(2).transpose(1, 2)


def _halved(grid: Grid) -> int:
    return -(-grid[0] // 2) * -(-grid[1] // 2)


LDP = Projector(
    name="ldpnet",
    pattern="ldp|ldpnet(?!v2).*",
    build=lambda _kind, width, hidden: DownsampleProjector(width, hidden),
    tokens=_halved,
    class_token=False,
)
LDP2 = Projector(
    name="ldpnetv2",
    pattern="ldpnetv2.*",
    build=lambda _kind, width, hidden: PoolingProjector(width, hidden),
    tokens=lambda _grid: POOLED * POOLED,
    class_token=False,
)
