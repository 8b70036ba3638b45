"""An archive as Kaldi writes it."""

from pathlib import Path

import numpy as np
import pytest


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    # It writes what the reader must read; it is not needed to read.
    kaldiio = pytest.importorskip("kaldiio", reason="kaldiio is not installed")
    rows = {f"u{i}": np.arange(4, dtype=np.float32) + i for i in range(6)}
    place = tmp_path / "xvector.ark"
    kaldiio.save_ark(str(place), rows, scp=str(tmp_path / "xvector.scp"))
    (tmp_path / "utt2spk").write_text("".join(f"u{i} s{i % 2}\n" for i in range(6)))
    return place
