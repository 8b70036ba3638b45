import re
from codecs import BOM_UTF8
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.numpy import save, save_file
from safetensors.torch import save_file as save_tensors

from evaluation.command.errors import InputError
from evaluation.embeddings.embeddings import load_embeddings
from evaluation.embeddings.extracted import Entry, read_extracted, write_extracted

NAMES = ["b,1", 'a"2', "ж 3"]


@pytest.fixture
def written(tmp_path: Path) -> Path:
    entries = [
        Entry(speaker=name, utterance=f"{name}/x", path=f"{name}/x.wav", seconds=1.25, bytes=7)
        for name in NAMES
    ]
    path = tmp_path / "x.safetensors"
    write_extracted(path, [np.eye(3, 5, dtype=np.float32)], entries, dim=5, model={"model": "m"})
    return path


def test_names_of_any_kind_come_back(written: Path) -> None:
    assert [entry.speaker for entry in read_extracted(written).entries] == NAMES
    loaded = load_embeddings(written)
    assert loaded.speaker_names == sorted(NAMES)
    assert loaded.rows.argmax(axis=1).tolist() == [1, 0, 2]


@pytest.mark.parametrize("blocks", [[], [0], [1, 2], [3, 0, 70]])
def test_a_file_is_that_of_safetensors_own_writer(tmp_path: Path, blocks: list[int]) -> None:
    rows = np.random.default_rng(0).standard_normal((sum(blocks), 5)).astype(np.float32)
    entries = [
        Entry(speaker='"\\ж', utterance=str(i), path="x", seconds=1.0, bytes=1)
        for i in range(len(rows))
    ]
    path, model = tmp_path / "x.safetensors", {"model": 'ж "\\\n'}
    parts = np.split(rows, np.cumsum(blocks)[:-1]) if blocks else []
    write_extracted(path, parts, entries, dim=5, model=model)
    with safe_open(path, framework="numpy") as file:
        metadata = file.metadata()
    assert path.read_bytes() == save({"embeddings": rows}, metadata)
    found = read_extracted(path)
    assert (found.entries, found.model) == (entries, model)


def test_a_manifest_may_begin_with_a_byte_order_mark(written: Path) -> None:
    manifest = written.with_suffix(".csv")
    manifest.write_bytes(BOM_UTF8 + manifest.read_bytes())
    assert [entry.speaker for entry in read_extracted(written).entries] == NAMES


def test_a_recording_of_two_lines_is_refused(written: Path) -> None:
    manifest = written.with_suffix(".csv")
    lines = manifest.read_text().splitlines(keepends=True)
    manifest.write_text("".join([*lines, lines[2]]))
    message = f'{manifest}: a"2/a"2/x must come once; it is in line 3 and in line 5'
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        load_embeddings(written)


def test_a_speaker_that_is_missing_is_no_person(tmp_path: Path) -> None:
    entries = [
        Entry(speaker=name, utterance=f"u{name}", path=f"{name}.wav", seconds=1.25, bytes=7)
        for name in ("a", " ", "None")
    ]
    path = tmp_path / "x.safetensors"
    write_extracted(path, [np.eye(3, 5, dtype=np.float32)], entries, dim=5, model={"model": "m"})
    message = (
        f"{path}: speaker must have a label for every row; 2 of 3 rows have none: "
        "1 (' '), 2 ('None')"
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        load_embeddings(path)


def test_a_header_with_a_key_twice_is_refused(written: Path) -> None:
    """Its library takes the last of them."""
    content = written.read_bytes()
    size = int.from_bytes(content[:8], "little")
    header, rows = content[8 : 8 + size].rstrip(), content[8 + size :]
    embeddings = b'"embeddings":{"dtype":"F32","shape":[5,3],"data_offsets":[0,60]}'
    facts = b'"__metadata__":{'
    for key, text in (
        ("embeddings", header[:-1] + b"," + embeddings + b"}"),
        ("a", header.replace(facts, facts + b'"a":"b","a":"c",')),
    ):
        written.write_bytes(len(text).to_bytes(8, "little") + text + rows)
        message = f"{written}: not a readable safetensors file (key '{key}' is there twice)"
        with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
            load_embeddings(written)


def test_a_manifest_that_is_another_one_is_refused(written: Path) -> None:
    manifest = written.with_suffix(".csv")
    text = manifest.read_text()
    shorter = "\n".join(text.splitlines()[:-1]) + "\n"
    for changed, lines in ((text.replace("b,1", "b,2"), 3), (shorter, 2)):
        manifest.write_text(changed)
        message = (
            f"{manifest}: must be the manifest that was written with x.safetensors; "
            f"it has changed or is another one ({lines} lines for 3 rows)"
        )
        with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
            load_embeddings(written)
    manifest.write_text("speaker,path\na,b\n")
    with pytest.raises(InputError, match=r"x.csv: not a readable manifest"):
        load_embeddings(written)
    manifest.unlink()
    with pytest.raises(InputError, match=r"x.csv: no such file; it is written beside"):
        load_embeddings(written)


def test_files_of_another_kind_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"absent.safetensors: no such file"):
        load_embeddings(tmp_path / "absent.safetensors")
    path = tmp_path / "x.safetensors"
    path.write_bytes(b"something else")
    with pytest.raises(InputError, match=r"not a readable safetensors file"):
        load_embeddings(path)
    save_file({"codes": np.ones(3)}, path)
    with pytest.raises(InputError, match=r"must hold what .* extract writes; found codes"):
        load_embeddings(path)


@pytest.mark.parametrize("dtype", ["bfloat16", "float8_e4m3fn"])
def test_values_of_a_type_that_numpy_lacks_are_refused(written: Path, dtype: str) -> None:
    rows = torch.ones(3, 5).to(getattr(torch, dtype))
    save_tensors({"embeddings": rows}, written, metadata={"extracted": "{}"})
    # Where ml_dtypes is imported NumPy has it, and what the file is of is looked at next.
    messages = r"not a readable safetensors file \(.*float|extracted must tell its model"
    with pytest.raises(InputError, match=f"x.safetensors: ({messages})"):
        load_embeddings(written)


@pytest.mark.parametrize(
    "making",
    [
        "nothing",
        "[]",
        "{}",
        '{"manifest_sha256": 1, "model": {}}',
        '{"manifest_sha256": "x", "model": ["a"]}',
        '{"manifest_sha256": "x", "model": {"model": "m", "model": "n"}}',
        "[" * 100_000,
    ],
)
def test_what_a_file_says_of_its_making_is_looked_at(written: Path, making: str) -> None:
    save_file({"embeddings": np.ones((3, 5))}, written, metadata={"extracted": making})
    with pytest.raises(InputError, match=r"x.safetensors: extracted must tell its model and"):
        load_embeddings(written)


@pytest.mark.parametrize(
    "manifest", ["speaker\n" + "x" * 200_000, "speaker,path\na\n", "\xff", "a\0b\n\0"]
)
def test_what_is_no_manifest_ends_in_a_sentence(written: Path, manifest: str) -> None:
    written.with_suffix(".csv").write_text(manifest, encoding="latin-1")
    with pytest.raises(InputError, match=r"x.csv: (not a readable manifest|must be the manifest)"):
        load_embeddings(written)
