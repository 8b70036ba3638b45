"""The network of CAM++: a densely connected TDNN whose layers mask themselves by their context.

H. Wang, S. Zheng, Y. Chen, L. Cheng, Q. Chen, "CAM++: A Fast and Efficient Network for Speaker
Verification Using Context-Aware Masking", Interspeech 2023. Written anew; the names of the modules
are those of the published state dicts, and what the paper leaves open is as in the authors' code.
"""

from collections import OrderedDict

import torch
from torch import Tensor, nn
from torch.nn import functional

BINS = 80
FILTERS = 32
# Three strides of two along frequency leave an eighth of the bins.
HEAD_CHANNELS = FILTERS * BINS // 8
FIRST_CHANNELS = 128
GROWTH = 32
BOTTLENECK = 128
# Layers of each dense block, and their dilation.
BLOCKS = ((12, 1), (24, 2), (16, 2))
# Frames that share one local context.
SEGMENT = 100


def _norm_relu(channels: int) -> nn.Sequential:
    return nn.Sequential(
        OrderedDict(batchnorm=nn.BatchNorm1d(channels), relu=nn.ReLU(inplace=True))
    )


class ResidualBlock(nn.Module):
    """Two 3 x 3 convolutions with a shortcut; a stride is along frequency only."""

    def __init__(self, *, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(FILTERS, FILTERS, 3, stride=(stride, 1), padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(FILTERS)
        self.conv2 = nn.Conv2d(FILTERS, FILTERS, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(FILTERS)
        self.shortcut: nn.Module = nn.Identity()
        if stride > 1:
            self.shortcut = nn.Sequential(
                nn.Conv2d(FILTERS, FILTERS, 1, stride=(stride, 1), bias=False),
                nn.BatchNorm2d(FILTERS),
            )

    def forward(self, x: Tensor) -> Tensor:
        """(batch, filters, bins, frames) to the same, with fewer bins where there is a stride."""
        y = torch.relu(self.bn1(self.conv1(x)))
        return torch.relu(self.bn2(self.conv2(y)) + self.shortcut(x))


class ConvolutionHead(nn.Module):
    """Residual convolutions over time and frequency, before the TDNN."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, FILTERS, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(FILTERS)
        self.layer1 = nn.Sequential(ResidualBlock(stride=2), ResidualBlock(stride=1))
        self.layer2 = nn.Sequential(ResidualBlock(stride=2), ResidualBlock(stride=1))
        self.conv2 = nn.Conv2d(FILTERS, FILTERS, 3, stride=(2, 1), padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(FILTERS)

    def forward(self, bins: Tensor) -> Tensor:
        """(batch, bins, frames) to (batch, HEAD_CHANNELS, frames)."""
        x = torch.relu(self.bn1(self.conv1(bins[:, None])))
        x = self.layer2(self.layer1(x))
        return torch.relu(self.bn2(self.conv2(x))).flatten(1, 2)


class FrameLayer(nn.Module):
    """The first TDNN layer, which halves the number of frames."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Conv1d(HEAD_CHANNELS, FIRST_CHANNELS, 5, stride=2, padding=2, bias=False)
        self.nonlinear = _norm_relu(FIRST_CHANNELS)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, HEAD_CHANNELS, frames) to (batch, FIRST_CHANNELS, half the frames)."""
        y: Tensor = self.nonlinear(self.linear(x))
        return y


class ContextMask(nn.Module):
    """A convolution whose output is weighted by the mean of the clip and that of the segment."""

    def __init__(self, *, dilation: int) -> None:
        super().__init__()
        self.linear_local = nn.Conv1d(
            BOTTLENECK, GROWTH, 3, padding=dilation, dilation=dilation, bias=False
        )
        self.linear1 = nn.Conv1d(BOTTLENECK, BOTTLENECK // 2, 1)
        self.linear2 = nn.Conv1d(BOTTLENECK // 2, GROWTH, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, BOTTLENECK, frames) to (batch, GROWTH, frames)."""
        segments = functional.avg_pool1d(x, SEGMENT, SEGMENT, ceil_mode=True)
        by_frame = segments.repeat_interleave(SEGMENT, dim=-1)[..., : x.shape[-1]]
        context = x.mean(dim=-1, keepdim=True) + by_frame
        mask = torch.sigmoid(self.linear2(torch.relu(self.linear1(context))))
        y: Tensor = self.linear_local(x) * mask
        return y


class DenseLayer(nn.Module):
    """What each layer of a dense block adds: a bottleneck, then a masked convolution."""

    def __init__(self, channels: int, *, dilation: int) -> None:
        super().__init__()
        self.nonlinear1 = _norm_relu(channels)
        self.linear1 = nn.Conv1d(channels, BOTTLENECK, 1, bias=False)
        self.nonlinear2 = _norm_relu(BOTTLENECK)
        self.cam_layer = ContextMask(dilation=dilation)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, frames) to (batch, channels + GROWTH, frames)."""
        y = self.cam_layer(self.nonlinear2(self.linear1(self.nonlinear1(x))))
        return torch.cat((x, y), dim=1)


class Transition(nn.Module):
    """What halves the channels after a dense block."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.nonlinear = _norm_relu(channels)
        self.linear = nn.Conv1d(channels, channels // 2, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, frames) to (batch, channels / 2, frames)."""
        y: Tensor = self.linear(self.nonlinear(x))
        return y


class Statistics(nn.Module):
    """Mean and standard deviation over time."""

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, frames) to (batch, 2 channels, 1)."""
        return torch.cat((x.mean(dim=-1), x.std(dim=-1)), dim=-1)[..., None]


class Projection(nn.Module):
    """The last layer: linear, then a batch normalisation without weights."""

    def __init__(self, channels: int, dim: int) -> None:
        super().__init__()
        self.linear = nn.Conv1d(channels, dim, 1, bias=False)
        self.nonlinear = nn.Sequential(OrderedDict(batchnorm=nn.BatchNorm1d(dim, affine=False)))

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, 1) to (batch, dim)."""
        y: Tensor = self.nonlinear(self.linear(x)[..., 0])
        return y


class CamPlusPlusNetwork(nn.Module):
    """Vectors (batch, dim) of filter banks (batch, frames, BINS)."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.head = ConvolutionHead()
        layers: OrderedDict[str, nn.Module] = OrderedDict(tdnn=FrameLayer())
        channels = FIRST_CHANNELS
        for place, (depth, dilation) in enumerate(BLOCKS, start=1):
            block: OrderedDict[str, nn.Module] = OrderedDict()
            for layer in range(1, depth + 1):
                block[f"tdnnd{layer}"] = DenseLayer(channels, dilation=dilation)
                channels += GROWTH
            layers[f"block{place}"] = nn.Sequential(block)
            layers[f"transit{place}"] = Transition(channels)
            channels //= 2
        layers["out_nonlinear"] = _norm_relu(channels)
        layers["stats"] = Statistics()
        layers["dense"] = Projection(2 * channels, dim)
        self.xvector = nn.Sequential(layers)

    @property
    def last_normalisation(self) -> nn.Module:
        """The batch normalisation that the network ends in."""
        found: nn.Module = self.xvector.get_submodule("dense.nonlinear.batchnorm")
        return found

    def forward(self, frames: Tensor) -> Tensor:
        """(batch, frames, BINS) to (batch, dim)."""
        y: Tensor = self.xvector(self.head(frames.transpose(1, 2)))
        return y
