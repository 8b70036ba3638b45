import csv
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from numpy.typing import NDArray

import minifloat as mf
from evaluation.__main__ import main
from evaluation.command.errors import InputError
from evaluation.embeddings.embeddings import load_embeddings
from evaluation.probe import run as run_module
from evaluation.probe.batch_norm import before_batch_norm
from evaluation.probe.fits import fits
from evaluation.probe.ranges import SIGNALS, probed, published_signal, square_wave
from evaluation.recordings.audio import SAMPLE_RATE, Waveform

DIM = 6


class Normalising:
    """A model that ends in a batch normalisation, or in `scale` times that."""

    def __init__(self, *, affine: bool = False, scale: float = 1) -> None:
        torch.manual_seed(0)
        self.dim, self.identity = DIM, {"model": "normalising"}
        self.last_normalisation: torch.nn.Module = torch.nn.BatchNorm1d(DIM, affine=affine).eval()
        for name, values in self.last_normalisation.state_dict().items():
            if values.is_floating_point():
                self.last_normalisation.state_dict()[name].copy_(torch.rand(DIM) + 0.5)
        self._scale = scale

    def before(self, clip: Waveform) -> NDArray[np.float32]:
        return np.asarray(np.resize(clip, DIM) + np.arange(DIM), dtype=np.float32)

    def embed(self, clips: Sequence[Waveform]) -> NDArray[np.float32]:
        rows = torch.from_numpy(np.stack([self.before(clip) for clip in clips]))
        with torch.inference_mode():
            made: NDArray[np.float32] = self.last_normalisation(rows).numpy()
        return made * self._scale

    def stages(self, clip: Waveform) -> dict[str, NDArray[np.float32]]:
        embedding = self.embed([clip])[0]
        return {
            "features": clip,
            "before normalisation": self.before(clip),
            "after normalisation": embedding / self._scale,
            "embedding": embedding,
        }


def clips() -> list[Waveform]:
    rng = np.random.default_rng(0)
    return [rng.uniform(-1, 1, n).astype(np.float32) for n in (100, 250)]


def test_signals_have_two_values_and_last_two_seconds() -> None:
    for signal in SIGNALS.values():
        waveform = signal.waveform()
        assert waveform.shape == (2 * SAMPLE_RATE,)
        assert waveform.dtype == np.float32
        assert sorted(set(waveform.tolist())) == [-1, 1]
    assert square_wave().mean() == 0
    assert published_signal()[:7].tolist() == [1, 1, -1, 1, 1, -1, 1]


def test_the_published_signal_has_the_papers_mean_and_deviation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_module, "load_extractor", lambda *_, **__: Normalising())
    for name, expected in (("published", "0.333 0.943"), ("square", "0.000 1.000")):
        out = tmp_path / name
        assert main(["probe", "--model", "redimnet", "--signal", name, "--out", str(out)]) == 0
        with (out / "ranges.csv").open(newline="") as file:
            line = next(csv.DictReader(file))
        assert f"{float(line['mean']):.3f} {float(line['standard_deviation']):.3f}" == expected


def test_ranges_are_those_of_all_values_together() -> None:
    found = probed(Normalising(), clips())
    assert found.clips == 2
    assert list(found.ranges) == list(Normalising().stages(clips()[0]))
    everything = np.concatenate(clips()).astype(np.float64)
    features = found.ranges["features"]
    assert (features.largest, features.smallest) == (everything.max(), everything.min())
    assert features.mean == pytest.approx(everything.mean())
    assert features.deviation == pytest.approx(everything.std(ddof=1))
    assert features.values == 350
    np.testing.assert_array_equal(found.vectors["embedding"], Normalising().embed(clips()))


def test_a_format_serves_where_few_values_are_lost() -> None:
    rows = np.array([[0, 0.2, 0.4, 1, 3, 6], [0, 8, -0.1, 1, 2, 5]], np.float32)
    wide, narrow = fits(rows, [mf.E5M2, mf.E2M1])
    assert wide.serves
    assert (narrow.overflow, narrow.zeros) == (1 / 12, 2 / 12)
    assert narrow.verdict == (
        "E2M1 as it is: 8.33 % of values are too large and 16.67 % of values become zero; "
        "scale first (16.67 % become zero then)."
    )
    (small,) = fits(rows / np.float32(100), [mf.E2M1])
    assert small.verdict.startswith("E2M1 as it is: 83.33 % of values become zero; scale first (")


@pytest.mark.parametrize("affine", [False, True])
def test_a_batch_normalisation_is_undone(affine: bool) -> None:
    model = Normalising(affine=affine)
    before = np.stack([model.before(clip) for clip in clips()])
    undone = before_batch_norm(model, model.embed(clips()))
    np.testing.assert_allclose(undone, before, rtol=1e-5, atol=1e-6)


def test_only_a_last_layer_of_as_many_values_is_undone() -> None:
    only = "--embeddings is for models that end in batch normalisation"
    for layer in (torch.nn.LayerNorm(DIM), torch.nn.BatchNorm1d(DIM, track_running_stats=False)):
        model = Normalising()
        model.last_normalisation = layer
        with pytest.raises(InputError, match=f"^{only}; got normalising$"):
            before_batch_norm(model, np.zeros((1, DIM), np.float32))
    with pytest.raises(InputError, match=f"^{only}; in normalising layers follow$"):
        before_batch_norm(Normalising(scale=2), np.zeros((1, DIM), np.float32))
    with pytest.raises(InputError, match="must be of the model, 6 values; got 5"):
        before_batch_norm(Normalising(), np.zeros((1, 5), np.float32))


def test_the_command_writes_verdicts_ranges_and_what_was_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    model = Normalising()
    monkeypatch.setattr(run_module, "load_extractor", lambda *_, **__: model)
    for place, clip in enumerate(clips()):
        (tmp_path / f"s{place}").mkdir()
        soundfile.write(tmp_path / f"s{place}" / "a.wav", np.tile(clip, 90), SAMPLE_RATE)
    rows = model.embed(clips())
    speaker = np.array(["one", "two"])
    np.savez(tmp_path / "voices.npz", embeddings=rows, speaker=speaker, utterance=speaker)
    out = tmp_path / "out"
    arguments = ["--model", "campplus", "--clips", str(tmp_path), "--out", str(out)]
    assert main(["probe", *arguments, "--embeddings", str(tmp_path / "voices.npz")]) == 0
    assert capsys.readouterr().out.count(" as it is: ") == len(mf.FORMATS)
    found = {path.name for path in out.iterdir()}
    before = "voices-before-normalisation.npz"
    assert found == {"ranges.csv", "fits.csv", "architecture.csv", "report.html", before}
    third = np.resize([1, 1, -1], 2 * SAMPLE_RATE)
    ranges = (out / "ranges.csv").read_text()
    assert f"published signal: features,1.0,,-1.0,,{third.mean()},," in ranges
    undone = load_embeddings(out / before)
    assert undone.speaker_names == ["one", "two"]
    expected = np.stack([model.before(clip) for clip in clips()])
    np.testing.assert_allclose(undone.rows, expected, rtol=1e-5, atol=1e-6)
    assert undone.utterance == ["one", "two"]


def test_clips_that_cannot_be_read_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(run_module, "load_extractor", lambda *_, **__: Normalising())
    monkeypatch.setattr(run_module, "CLIPS", 2)
    for place in range(3):
        (tmp_path / f"s{place}").mkdir()
        (tmp_path / f"s{place}" / "a.wav").write_text("no sound")
    arguments = ["--model", "campplus", "--clips", str(tmp_path), "--out", str(tmp_path / "out")]
    assert main(["probe", *arguments]) == 2
    message = f"{tmp_path}: none of 2 recordings could be read; s0/a.wav cannot be decoded: "
    assert re.fullmatch(f"error: {re.escape(message)}.+\n", capsys.readouterr().err)


def test_a_model_without_stages_shows_its_embedding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own_model.py").write_text(
        "import numpy as np\n\n\ndef embed(clips):\n    return np.ones((len(clips), 3), 'f')\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    out = tmp_path / "out"
    assert main(["probe", "--model", "own_model:embed", "--out", str(out)]) == 0
    lines = (out / "ranges.csv").read_text().splitlines()
    assert lines[1:] == ["published signal: embedding,1.0,,1.0,,1.0,,0.0,,3"]
    lines = (out / "architecture.csv").read_text().splitlines()
    assert lines[1].startswith("own_model:embed,,,,,,,")
    assert "Residual blocks: not known" in (out / "report.html").read_text()


class Listening(Normalising):
    """A model that takes clips without a steady pitch only."""

    def stages(self, clip: Waveform) -> dict[str, NDArray[np.float32]]:
        if set(clip.tolist()) <= {-1, 1}:
            raise ValueError("must hold speech; got silence")
        return super().stages(clip)


def test_what_a_model_does_not_take_is_left_out_and_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(run_module, "load_extractor", lambda *_, **__: Listening())
    signal = published_signal()
    for place, clip in enumerate((*clips(), signal)):
        (tmp_path / f"s{place}").mkdir()
        path = tmp_path / f"s{place}" / "a.wav"
        soundfile.write(path, np.tile(clip, 90), SAMPLE_RATE, subtype="FLOAT")
    out = tmp_path / "out"
    arguments = ["probe", "--model", "campplus", "--out", str(out)]
    assert main([*arguments, "--clips", str(tmp_path)]) == 0
    said = "published signal: left out, for the model says: must hold speech; got silence"
    assert said in capsys.readouterr().out
    assert said in (out / "report.html").read_text()
    lines = (out / "ranges.csv").read_text().splitlines()[1:]
    assert {line.split(":")[0] for line in lines} == {"clips"}
    assert "clips: 2" in (out / "report.html").read_text()
    assert main(arguments) == 2
    assert f"{said}; --clips names a folder of speech" in capsys.readouterr().err
