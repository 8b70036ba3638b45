import sys
import tracemalloc
from fractions import Fraction
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from socket import AF_INET, SOCK_DGRAM, socket
from threading import Thread
from typing import ClassVar

import numpy as np
import pytest
import soundfile

from evaluation.command.errors import InputError
from evaluation.recordings.audio import (
    BY_AV,
    EXTENSIONS,
    SAMPLE_RATE,
    UnreadableError,
    read_audio,
    require_decoders,
)
from tests.evaluation.recordings.sounds import make_wav


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
def test_16_bit_samples_are_unchanged(tmp_path: Path, extension: str) -> None:
    path = make_wav(tmp_path / f"x{extension}")
    stored, _ = soundfile.read(path, dtype="int16")
    audio = read_audio(path)
    assert audio.waveform.dtype == np.float32
    np.testing.assert_array_equal(audio.waveform, stored.astype(np.float32) / 2**15)
    assert audio.seconds == 0.25


def test_channels_are_averaged(tmp_path: Path) -> None:
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


def test_damaged_recordings_say_why(tmp_path: Path) -> None:
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


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A sound outside the folder of recordings."""
    soundfile.write(tmp_path / "secret.wav", tone(seconds=1, rate=SAMPLE_RATE), SAMPLE_RATE)
    return tmp_path / "secret.wav"


def test_a_playlist_among_recordings_opens_no_other_file(tmp_path: Path, secret: Path) -> None:
    av = pytest.importorskip("av", reason="PyAV is not installed")
    playlist = tmp_path / "x.m4a"
    playlist.write_text(f"ffconcat version 1.0\nfile '{secret.name}'\n")
    with av.open(str(playlist)) as container:
        assert sum(frame.samples for frame in container.decode(audio=0)) == SAMPLE_RATE
    with pytest.raises(UnreadableError, match=r"of a kind that is not read; aac,mov,.* are$"):
        read_audio(playlist)


def is_free(port: int) -> bool:
    with socket(AF_INET, SOCK_DGRAM) as tried:
        try:
            tried.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def test_a_session_description_among_recordings_listens_to_no_network(tmp_path: Path) -> None:
    av = pytest.importorskip("av", reason="PyAV is not installed")
    with socket(AF_INET, SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        # RTP's are even.
        port = free.getsockname()[1] & ~1
    path = tmp_path / "x.m4a"
    lines = ("v=0", "o=- 0 0 IN IP4 127.0.0.1", "s=x", "c=IN IP4 127.0.0.1", "t=0 0")
    path.write_text("\n".join((*lines, f"m=audio {port} RTP/AVP 0", "")))
    assert is_free(port)
    with path.open("rb") as file, av.open(file, timeout=0.2):
        assert not is_free(port)
    with pytest.raises(UnreadableError, match="of a kind that is not read"):
        read_audio(path)


def test_a_name_that_is_an_address_stands_for_its_own_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    av = pytest.importorskip("av", reason="PyAV is not installed")
    monkeypatch.chdir(tmp_path)
    write_m4a(tmp_path / "x.m4a", tone(seconds=0.5, rate=SAMPLE_RATE), SAMPLE_RATE)
    name = Path("file:x.m4a")
    (tmp_path / "x.m4a").rename(name)
    write_m4a(tmp_path / "x.m4a", tone(seconds=2, rate=SAMPLE_RATE), SAMPLE_RATE)
    with av.open(str(name)) as container:
        assert container.duration > 1_900_000
    assert read_audio(name).seconds == pytest.approx(0.5, abs=0.2)


def test_an_address_is_not_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    av = pytest.importorskip("av", reason="PyAV is not installed")
    monkeypatch.chdir(tmp_path)
    with HTTPServer(("127.0.0.1", 0), Remembering) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        name = f"http:/127.0.0.1:{server.server_port}/x.m4a"
        with pytest.raises(av.error.HTTPNotFoundError):
            av.open(name)
        assert Remembering.paths == ["/x.m4a"]
        with pytest.raises(UnreadableError, match="No such file"):
            read_audio(Path(name))
        assert Remembering.paths == ["/x.m4a"]
        server.shutdown()


class Remembering(BaseHTTPRequestHandler):
    paths: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.paths.append(self.path)
        self.send_error(404)

    def log_message(self, format: str, *args: object) -> None:
        pass


def test_a_recording_that_unpacks_to_too_much_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "silence.flac"
    with soundfile.SoundFile(path, "w", 48000, 8, subtype="PCM_16") as file:
        file.write(np.zeros((1 << 22, 8), np.int16))
    # A thousand times its bytes: as float32, 134 MB.
    assert 1000 * path.stat().st_size < 4 * 8 * (1 << 22)
    tracemalloc.start()
    with pytest.raises(UnreadableError, match=r"may hold 16,7.* at most; it has 33,554,432$"):
        read_audio(path)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 1 << 20


def test_a_compressed_recording_that_unpacks_to_too_much_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_m4a(tmp_path / "x.m4a", np.zeros(60 * SAMPLE_RATE), SAMPLE_RATE)
    assert len(read_audio(tmp_path / "x.m4a").waveform) > 59 * SAMPLE_RATE
    monkeypatch.setattr("evaluation.recordings.audio.LEAST", 0)
    monkeypatch.setattr("evaluation.recordings.audio.TIMES", 10)
    with pytest.raises(UnreadableError, match="samples at most; it has"):
        read_audio(tmp_path / "x.m4a")


@pytest.mark.parametrize("rate", [1, 3999, 768_001])
def test_a_rate_that_no_recording_has_is_refused(tmp_path: Path, rate: int) -> None:
    """One second at 1 Hz is one sample, and sixteen thousand once it is resampled."""
    soundfile.write(tmp_path / "x.wav", np.zeros(10), rate)
    with pytest.raises(UnreadableError, match=rf"^has a rate of {rate} Hz; it must be in 4000\.\."):
        read_audio(tmp_path / "x.wav")
