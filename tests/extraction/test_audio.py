import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import soundfile

from evaluation.errors import InputError
from evaluation.extraction.audio import (
    BY_AV,
    EXTENSIONS,
    SAMPLE_RATE,
    UnreadableError,
    read_audio,
    require_decoders,
)

Maker = Callable[..., Path]


def tone(*, seconds: float, rate: int) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * 440 * np.arange(round(seconds * rate)) / rate)


def write_m4a(path: Path, samples: np.ndarray, rate: int) -> None:
    av = pytest.importorskip("av", reason="PyAV is not installed")
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("aac", rate=rate, layout="mono")
        frame = av.AudioFrame.from_ndarray(samples[None].astype(np.float32), "fltp", "mono")
        frame.sample_rate, frame.time_base = rate, Fraction(1, rate)
        fifo = av.AudioFifo()
        fifo.write(frame)
        for part in [*fifo.read_many(1024), None]:
            container.mux(stream.encode(part))


@pytest.mark.parametrize("extension", [".wav", ".flac"])
def test_16_bit_samples_are_unchanged(make_wav: Maker, tmp_path: Path, extension: str) -> None:
    path = make_wav(tmp_path / f"x{extension}")
    stored, _ = soundfile.read(path, dtype="int16")
    audio = read_audio(path)
    assert audio.waveform.dtype == np.float32
    np.testing.assert_array_equal(audio.waveform, stored.astype(np.float32) / 2**15)
    assert audio.seconds == 0.25


def test_channels_are_averaged(make_wav: Maker, tmp_path: Path) -> None:
    path = make_wav(tmp_path / "x.wav", channels=3)
    stored, _ = soundfile.read(path, dtype="float32")
    np.testing.assert_array_equal(read_audio(path).waveform, stored.mean(axis=1))


@pytest.mark.parametrize("rate", [8000, 22050, 44100, 48000])
def test_every_rate_becomes_16_khz(tmp_path: Path, rate: int) -> None:
    soundfile.write(tmp_path / "x.wav", tone(seconds=1, rate=rate), rate, subtype="FLOAT")
    audio = read_audio(tmp_path / "x.wav")
    assert audio.seconds == 1
    inside = slice(1600, -1600)
    expected = tone(seconds=1, rate=SAMPLE_RATE)
    np.testing.assert_allclose(audio.waveform[inside], expected[inside], atol=1e-4)


def write_video(path: Path) -> None:
    av = pytest.importorskip("av", reason="PyAV is not installed")
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("mpeg4", rate=25, width=16, height=16)
        for frame in (av.VideoFrame(16, 16, "yuv420p"), None):
            container.mux(stream.encode(frame))


@pytest.mark.parametrize("rate", [16000, 44100])
def test_m4a_is_read_where_its_decoder_is_there(tmp_path: Path, rate: int) -> None:
    write_m4a(tmp_path / "x.m4a", tone(seconds=1, rate=rate), rate)
    found = read_audio(tmp_path / "x.m4a").waveform
    assert len(found) == pytest.approx(SAMPLE_RATE, abs=2500)
    # The codec delays and changes the tone a little; its pitch and loudness remain.
    middle = found[4000:12000] * np.hanning(8000)
    assert np.abs(np.fft.rfft(middle)).argmax() * SAMPLE_RATE / 8000 == 440
    assert found[4000:12000].std() == pytest.approx(0.5 / 2**0.5, rel=0.02)


def test_a_missing_decoder_is_named_before_any_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    require_decoders([Path("a/1.wav"), Path("a/2.flac")])
    message = r'.m4a files need PyAV, .*; pip install "minifloat\[extract-m4a\]"'
    with pytest.raises(InputError, match=message):
        require_decoders([Path("a/1.wav"), Path("a/2.M4A")])


def test_damaged_recordings_say_why(make_wav: Maker, tmp_path: Path) -> None:
    def reason(name: str) -> str:
        with pytest.raises(UnreadableError) as raised:
            read_audio(tmp_path / name)
        return str(raised.value)

    (tmp_path / "text.wav").write_text("no sound")
    assert reason("text.wav").startswith("cannot be decoded: ")
    assert reason("absent.flac").startswith("cannot be decoded: ")
    make_wav(tmp_path / "empty.wav", samples=0)
    assert reason("empty.wav") == "holds no samples"
    soundfile.write(tmp_path / "nan.wav", np.array([0, np.nan]), 16000, subtype="FLOAT")
    assert reason("nan.wav") == "holds samples that are not finite"
    if "av" in sys.modules:
        (tmp_path / "text.m4a").write_text("no sound")
        assert reason("text.m4a").startswith("cannot be decoded: ")


def test_a_video_without_sound_says_so(tmp_path: Path) -> None:
    write_video(tmp_path / "x.m4a")
    with pytest.raises(UnreadableError, match=r"^cannot be decoded: no sound in it$"):
        read_audio(tmp_path / "x.m4a")


def test_every_extension_has_a_decoder() -> None:
    assert set(BY_AV) < set(EXTENSIONS)
    assert len(set(EXTENSIONS)) == len(EXTENSIONS)
