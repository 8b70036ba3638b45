"""Small embeddings with known structure, and the samples that ship with the package."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from evaluation.embeddings.embeddings import Embeddings, load_embeddings
from evaluation.separation import study as separation_study
from evaluation.separation.speaker_map import MapOptions
from tests.support.paths import ROOT

Maker = Callable[..., Path]


@pytest.fixture(scope="session")
def samples() -> Path:
    return ROOT / "evaluation" / "samples"


@pytest.fixture(scope="session")
def make_file_in() -> Maker:
    """Writes an .npz of random voices to a folder; arrays given by name replace its own."""

    def make(
        folder: Path,
        *,
        name: str = "voices",
        speakers: int = 12,
        utterances: int = 6,
        dim: int = 16,
        spread: float = 0.6,
        seed: int = 0,
        **replaced: Any,
    ) -> Path:
        rng = np.random.default_rng(seed)
        voices = np.repeat(rng.standard_normal((speakers, dim)), utterances, axis=0)
        rows = voices + spread * rng.standard_normal(voices.shape)
        arrays: dict[str, Any] = {
            "embeddings": rows.astype(np.float32),
            "speaker": np.repeat([f"s{i:03}" for i in range(speakers)], utterances),
            "utterance": np.tile([f"{i:03}.wav" for i in range(utterances)], speakers),
        }
        arrays |= replaced
        path = folder / f"{name}.npz"
        np.savez(path, **{key: array for key, array in arrays.items() if array is not None})
        return path

    return make


@pytest.fixture
def make_file(make_file_in: Maker, tmp_path: Path) -> Maker:
    return partial(make_file_in, tmp_path)


@pytest.fixture
def voices(make_file: Maker) -> Embeddings:
    return load_embeddings(make_file())


@pytest.fixture(scope="module")
def quick_map() -> Iterator[None]:
    """Maps are projections to two dimensions that their seed chooses: UMAP takes a minute."""

    def projected(rows: NDArray[np.float32], options: MapOptions) -> NDArray[np.float32]:
        axes = np.random.default_rng(options.seed).standard_normal((rows.shape[1], 2))
        return np.asarray(rows @ axes, dtype=np.float32)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(separation_study, "speaker_map", projected)
        yield
