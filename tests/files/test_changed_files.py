"""Files that are changed, replaced or removed while they are mapped."""

import os
import pickle
from pathlib import Path
from typing import Any

import pytest
import safetensors
import torch

import minifloat as mf
from minifloat.files import norms
from tests.files.searched import ONLY_LINUX, alone, queries

pytestmark = ONLY_LINUX


def refusals(path: Path, change: str) -> list[str]:
    """What happens to work on a mapped file, all that shares its memory, and what does not."""
    path = path.with_name(f"changed-{change}")
    saved = mf.quantize(queries(500), mf.E2M1)
    saved.save(path)
    mapped, read = mf.PackedVectors.load(path), mf.PackedVectors.load(path, mmap=False)
    gathered, size = mapped[[1, 2]], path.stat().st_size
    sharing = [mapped, mapped[2:5], mapped[7], mapped[::2][3:], mapped.to("cpu")]
    if change == "cut":
        os.truncate(path, 4096)
    elif change == "longer":
        os.truncate(path, size + 1)
    elif change == "written":
        before = path.stat()
        with path.open("r+b") as file:
            file.write(path.read_bytes())
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + 10**9))
    elif change == "saved":
        saved[:5].save(path)
    elif change == "removed":
        path.unlink()
    pairs, few = torch.tensor([[0, 0]]), queries(1)
    found = []
    for database in (*sharing, read, gathered):
        for work in (
            lambda database: mf.search(few, database, 1),
            lambda database: mf.search(few.numpy(), database, 1),
            lambda database: mf.search(database, read, 1),
            lambda database: mf.search(read, database, 1, ranges=[(0, 1)]),
            lambda database: mf.scores(few, database),
            lambda database: mf.scores(database, database),
            lambda database: mf.scores(few, database, pairs=pairs),
            lambda database: database.save(path.with_name("copy")),
            lambda database: database == database[:],
            lambda database: pickle.dumps(database),
        ):
            try:
                work(database)
                found.append("")
            except OSError as error:
                found.append(str(error).replace(str(path), "PATH"))
    return found


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ("cut", "it had 66304 bytes and has 4096"),
        ("longer", "it had 66304 bytes and has 66305"),
        ("written", "it was written to 1 s later"),
    ],
)
def test_a_changed_file_is_not_searched(path: Path, change: str, what: str) -> None:
    found = alone(refusals, path, change)
    message = (
        f"PATH was changed after it was mapped: {what}; load it again, or with mmap=False to "
        "keep a copy in memory"
    )
    assert found == [message] * 10 * 5 + [""] * 10 * 2


@pytest.mark.parametrize("change", ["saved", "removed", "none"])
def test_a_file_that_is_replaced_or_removed_is_searched(path: Path, change: str) -> None:
    assert not any(alone(refusals, path, change))


def test_a_change_while_a_file_is_loaded_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "rows"
    saved = mf.quantize(queries(5), mf.E2M1)
    saved.save(path)
    look = norms.refuse_impossible

    def change(*arguments: Any) -> None:
        look(*arguments)
        os.truncate(path, 4096)

    monkeypatch.setattr(norms, "refuse_impossible", change)
    with pytest.raises(OSError, match=" was changed after it was mapped: it had "):
        mf.PackedVectors.load(path)


def test_a_file_that_is_replaced_while_it_is_opened_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "rows"
    old, new = mf.quantize(queries(5), mf.E2M1), mf.quantize(queries(9), mf.E4M3)
    old.save(path)
    open_header, times = safetensors.safe_open, [0]

    def replace(*arguments: Any, **options: Any) -> Any:
        times[0] += 1
        if times[0] < 3:
            new.save(path)
        return open_header(*arguments, **options)

    monkeypatch.setattr(safetensors, "safe_open", replace)
    loaded = mf.PackedVectors.load(path, verify=True)
    assert times == [3]
    assert torch.equal(loaded.codes, new.codes)


def test_a_mapping_ends_with_the_last_rows_of_it(tmp_path: Path) -> None:
    path = tmp_path / "rows"
    mf.quantize(queries(500), mf.E2M1).save(path)

    def held() -> tuple[int, bool]:
        files = [os.path.realpath(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd")]
        return files.count(str(path)), str(path) in Path("/proc/self/maps").read_text()

    loaded = mf.PackedVectors.load(path)
    assert held() == (2, True)
    some = loaded[3:5]
    del loaded
    assert held() == (2, True)
    del some
    assert held() == (0, False)
    read = mf.PackedVectors.load(path, mmap=False, verify=True)
    assert held() == (0, False)
    assert mf.PackedVectors.verify(path)
    assert held() == (0, False)
    assert len(read) == 500
