"""The service is killed again and again: what it answered for is there, what it erased is not."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Barrier, Timer
from typing import Any

import httpx
import numpy as np
import pytest

import minifloat as mf
from tests.support.paths import ROOT

SERVICE = ["-m", "uvicorn", "--app-dir", "examples", "service:app"]
DIM = 192
CLIENTS = 4


@contextmanager
def served(folder: Path) -> Iterator[tuple[httpx.Client, subprocess.Popen[str]]]:
    """Yield a client of the service, on a port that was free, and its process, until it ends."""
    process = subprocess.Popen(
        [sys.executable, *SERVICE, "--port", "0"],
        cwd=ROOT,
        env=os.environ | {"VOICES": str(folder)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    late = Timer(120, process.kill)
    late.start()
    try:
        told = ""
        for line in process.stderr:
            told += line
            if running := re.search(r"running on (http://\S+)", line):
                with httpx.Client(base_url=running[1], timeout=30) as client:
                    yield client, process
                return
        pytest.fail(told)
    finally:
        late.cancel()
        process.kill()
        process.wait()
        process.stderr.close()


class Voices:
    """Voices that one client adds and erases, and what it knows of them."""

    def __init__(self, client: int) -> None:
        self.chance = random.Random(client)
        self.rng = np.random.default_rng(client)
        self.kept: dict[str, list[float]] = {}
        self.erased: dict[str, list[float]] = {}
        # No answer came: they may be there or not.
        self.unknown: set[str] = set()

    def change(self, client: httpx.Client) -> None:
        """Add one, or erase one."""
        if self.kept and self.chance.random() < 0.15:
            id = self.chance.choice([*self.kept])
            vector = self.kept.pop(id)
            self.unknown.add(id)
            client.delete(f"/voices/{id}").raise_for_status()
            self.unknown.remove(id)
            self.erased[id] = vector
        else:
            id = f"voice-{self.chance.getrandbits(64):016x}"
            vector = self.rng.standard_normal(DIM).tolist()
            self.unknown.add(id)
            voice = {"id": id, "speaker": f"speaker-{id[-1]}", "vector": vector}
            client.post("/voices", json=voice).raise_for_status()
            self.unknown.remove(id)
            self.kept[id] = vector


def matches(client: httpx.Client, vector: list[float], **more: Any) -> dict[str, float]:
    found = client.post("/search", json={"vector": vector, **more}).raise_for_status()
    answer: dict[str, float] = found.json()
    return answer


def change_until_killed(folder: Path, clients: list[Voices], changes: int) -> None:
    """Have clients change voices at once, and kill the service after so many changes of one."""
    begin = Barrier(CLIENTS)
    with served(folder) as (client, process):

        def run(number: int) -> None:
            begin.wait()
            done = 0
            try:
                while True:
                    clients[number].change(client)
                    done += 1
                    # The others are in the middle of their requests.
                    if number == 0 and done == changes:
                        process.send_signal(signal.SIGKILL)
            except httpx.TransportError:
                assert process.wait(30) == -signal.SIGKILL

        with ThreadPoolExecutor(CLIENTS) as pool:
            list(pool.map(run, range(CLIENTS)))


def left(folder: Path, voices: dict[str, list[float]]) -> list[str]:
    """Return the ids of which a file has the id, or the codes."""
    files = [path.read_bytes() for path in folder.iterdir()]
    wanted = {
        id: (id.encode(), mf.quantize([vector], "e2m1").codes.numpy().tobytes())
        for id, vector in voices.items()
    }
    return [id for id, each in wanted.items() if any(one in file for one in each for file in files)]


def test_no_voice_is_lost_that_was_answered_for_and_none_comes_back_that_was_erased(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "voices.index"
    clients = [Voices(number) for number in range(CLIENTS)]
    for changes in (10, 40):
        change_until_killed(folder, clients, changes)
        kept = {id: vector for one in clients for id, vector in one.kept.items()}
        erased = {id: vector for one in clients for id, vector in one.erased.items()}
        assert left(folder, erased) == []
        assert left(folder, kept) == [*kept]
    assert len(kept) > 40
    assert len(erased) > 5
    unknown = {id for one in clients for id in one.unknown}
    assert unknown
    with served(folder) as (client, process):
        for id, vector in kept.items():
            ((found, score),) = matches(client, vector, k=1).items()
            assert (found, score > 0.98) == (id, True)
        for vector in erased.values():
            assert max(matches(client, vector).values()) < 0.5
        rows = client.get("/stats").json()["rows"]
        assert len(kept) <= rows <= len(kept) + len(unknown)
        # Who got no answer asks again.
        id = next(iter(unknown))
        voice = {"id": id, "speaker": "again", "vector": [1.0] * DIM}
        client.post("/voices", json=voice).raise_for_status()
        assert [*matches(client, [1.0] * DIM, speaker="again")] == [id]
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) in (0, -signal.SIGTERM)
    with mf.Index.open(folder, verify=True) as index:
        there = set(index)
        assert kept.keys() <= there <= kept.keys() | unknown
        codes = mf.quantize([*kept.values()], "e2m1").codes
        assert bool((index.get([*kept]).vectors.codes == codes).all())
        assert index.check() == []


def test_the_service_finds_voices_and_says_what_it_does_not_take(tmp_path: Path) -> None:
    folder = tmp_path / "voices.index"
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((4, DIM)).tolist()
    with served(folder) as (client, process):
        for i, vector in enumerate(vectors):
            voice = {"id": f"voice-{i}", "speaker": f"speaker-{i % 2}", "vector": vector}
            assert client.post("/voices", json=voice).status_code == 201
        first, *others = matches(client, vectors[3])
        assert (first, len(others)) == ("voice-3", 3)
        assert {*matches(client, vectors[3], speaker="speaker-0")} == {"voice-0", "voice-2"}
        assert matches(client, vectors[3], speaker="nobody") == {}
        assert client.get("/stats").json()["rows"] == 4
        for wrong in (
            {"vector": vectors[0][1:]},
            {"id": ""},
            {"id": "a/b"},
            {"id": ".."},
            {"speaker": None},
        ):
            assert client.post("/voices", json=voice | wrong).status_code == 422
        assert client.post("/search", json={"vector": vectors[0], "k": 0}).status_code == 422
        gone = client.delete("/voices/nobody")
        assert gone.status_code == 404
        assert gone.json() == {"detail": "there is no voice 'nobody'"}
        assert client.get("/stats").json()["rows"] == 4
        told = f"InUseError.*process {process.pid} "
        with pytest.raises(pytest.fail.Exception, match=told), served(folder):
            pass
