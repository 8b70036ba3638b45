from collections.abc import Callable, Sequence

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

import minifloat as mf
from evaluation.probe import hypothesis
from evaluation.probe.architecture import Architecture, architecture
from evaluation.probe.fits import Fit
from evaluation.probe.memory import GPU, PROCESS, RESET, peak_memory
from evaluation.probe.residual import residual_blocks
from evaluation.recordings.audio import Waveform

CHANNELS = 4


def convolution() -> nn.Conv1d:
    return nn.Conv1d(CHANNELS, CHANNELS, 3, padding=1, bias=False)


CONVOLUTIONS = [convolution().eval() for _ in range(6)]
NORM = nn.BatchNorm1d(CHANNELS).eval()
ATTENTION = nn.TransformerEncoderLayer(CHANNELS, 2, 8, batch_first=True).eval()
A, B, C, D, E, F = CONVOLUTIONS


def basic(x: Tensor) -> Tensor:
    made: Tensor = torch.relu(NORM(B(torch.relu(NORM(A(x))))) + x)
    return made


def projected(x: Tensor) -> Tensor:
    y = B(torch.relu(A(x)))
    y += NORM(C(x * torch.ones(1, 1, x.shape[-1])))
    made: Tensor = y
    return made


def plain(x: Tensor) -> Tensor:
    made: Tensor = B(torch.relu(A(x)))
    return made


def one_convolution(x: Tensor) -> Tensor:
    made: Tensor = x + A(x)
    return made


def two_branches(x: Tensor) -> Tensor:
    made: Tensor = B(A(x)) + D(C(x))
    return made


def dense(x: Tensor) -> Tensor:
    made: Tensor = torch.cat((x, B(A(x))), dim=1)
    return made


def context(x: Tensor) -> Tensor:
    made: Tensor = x + B(A(x.mean(dim=-1, keepdim=True)))
    return made


def parts(x: Tensor) -> Tensor:
    """Each half of the channels takes what was made of the other one."""
    left, right = x.chunk(2, dim=2)
    made: Tensor = right + B(A(left))
    return made


def transformer(x: Tensor) -> Tensor:
    made: Tensor = ATTENTION(x.transpose(1, 2))
    return made


def nested(x: Tensor) -> Tensor:
    return projected(basic(x)) + x


@pytest.mark.parametrize(
    ("network", "blocks"),
    [
        (basic, 1),
        (projected, 1),
        (lambda x: basic(basic(projected(x))), 3),
        (nested, 3),
        (plain, 0),
        (one_convolution, 0),
        (two_branches, 0),
        (dense, 0),
        (context, 0),
        (parts, 0),
        (transformer, 0),
    ],
)
@pytest.mark.parametrize("mode", [torch.inference_mode, torch.no_grad, torch.enable_grad])
def test_residual_blocks_are_counted_by_what_is_computed(
    network: Callable[[Tensor], Tensor], blocks: int, mode: Callable[[], torch.inference_mode]
) -> None:
    def work() -> None:
        with mode():
            network(torch.ones(1, CHANNELS, 8))

    assert residual_blocks(work) == blocks


def test_what_runs_without_torch_has_no_count() -> None:
    assert residual_blocks(lambda: np.ones(3)) is None


class Ending:
    """A model with one residual block, whose last layer is a batch normalisation or a scale."""

    def __init__(self, *, is_last: bool) -> None:
        self.network = nn.Sequential(A, B, NORM)
        self.last_normalisation = NORM
        self.dim, self.identity = CHANNELS, {"model": "ending"}
        self._scale = 1 if is_last else 2
        self.lengths: list[int] = []

    def embed(self, clips: Sequence[Waveform]) -> NDArray[np.float32]:
        self.lengths += [len(clip) for clip in clips]
        return np.stack([self.stages(clip)["embedding"] for clip in clips])

    def stages(self, clip: Waveform) -> dict[str, NDArray[np.float32]]:
        with torch.inference_mode():
            x = torch.from_numpy(clip[: 8 * CHANNELS].reshape(1, CHANNELS, 8))
            before = basic(x).mean(dim=-1)
            after = NORM(before)
            found = {"before normalisation": before, "after normalisation": after}
            found["embedding"] = after * self._scale
            return {stage: rows[0].numpy() for stage, rows in found.items()}


@pytest.mark.parametrize("is_last", [True, False])
def test_an_architecture_has_blocks_its_end_parameters_and_memory(is_last: bool) -> None:
    clip = np.random.default_rng(0).normal(size=8000).astype(np.float32)
    model = Ending(is_last=is_last)
    found = architecture(model, clip)
    assert (found.residual_blocks, found.ends_in_batch_norm) == (1, is_last)
    assert found.parameters == 2 * CHANNELS * CHANNELS * 3 + 2 * CHANNELS
    assert sorted(model.lengths) == [8000, 160_000]


@pytest.mark.skipif(not RESET.exists(), reason="the system does not tell")
def test_peak_memory_is_what_a_process_grows_by_and_gives_back() -> None:
    size = 200 << 20
    for _ in range(2):
        found = peak_memory(lambda: np.ones(size, np.uint8).sum())
        assert found is not None
        assert found.of == PROCESS
        assert 0.99 * size <= found.bytes < 1.5 * size
    small = peak_memory(lambda: None)
    assert small is not None
    assert small.bytes < size / 4


def test_where_a_model_lies_on_gpus_peak_memory_is_the_sum_of_theirs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Three of them, of which the second holds nothing.
    peaks = [500, 0, 700]
    allocated = [300, 0, 400]
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 3)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda gpu: allocated[gpu])

    def reset(gpu: int) -> None:
        peaks[gpu] = allocated[gpu]

    def work() -> None:
        peaks[0] += 11
        peaks[1] += 1_000

    monkeypatch.setattr(torch.cuda, "reset_peak_memory_stats", reset)
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda gpu: peaks[gpu])
    found = peak_memory(work)
    assert found is not None
    assert (found.bytes, found.of) == (300 + 11 + 400, GPU)


def words(*, blocks: int | None, is_last: bool | None, zeros: float) -> list[str]:
    found = Architecture(
        residual_blocks=blocks, ends_in_batch_norm=is_last, parameters=None, memory=None
    )
    return hypothesis.tested(found, Fit(format=mf.E2M1, overflow=0, zeros=zeros, zeros_scaled=0))


@pytest.mark.parametrize(
    ("blocks", "is_last", "zeros", "said"),
    [
        (4, True, 0, "The hypothesis holds for this model, which has both: E2M1 suits it as"),
        (
            4,
            True,
            0.3,
            "The hypothesis does not hold for this model, which has both: E2M1 does",
        ),
        (0, True, 0, "promises nothing of this model, with no residual blocks; E2M1 suits it"),
        (3, False, 0.3, "with no last batch normalisation; E2M1 does not suit it as it is."),
        (0, False, 0, "with no residual blocks and no last batch normalisation; E2M1 suits"),
        (None, False, 0, "promises nothing of this model, with no last batch normalisation; E2M1"),
        (4, None, 0, "Whether the hypothesis is of this model is not known; E2M1 suits it as it"),
    ],
)
def test_the_hypothesis_is_tested_in_words(
    blocks: int | None, is_last: bool | None, zeros: float, said: str
) -> None:
    assert said in words(blocks=blocks, is_last=is_last, zeros=zeros)[-1]


def test_each_half_is_told() -> None:
    assert words(blocks=4, is_last=False, zeros=0.3)[1:4] == [
        "Residual blocks: 4.",
        "A last batch normalisation: no.",
        "E2M1 as it is: 30.00 % of values become zero; scale first (0 % become zero then).",
    ]
    unknown = words(blocks=None, is_last=None, zeros=0)
    assert all("not known" in line for line in unknown[1:3])
    assert words(blocks=0, is_last=True, zeros=0)[1] == "Residual blocks: none."
