"""Files with random damage: python -m tests.proofs.damaged_files [FILES]

Each is made from one of some small files by bits that are flipped, bytes that are cut off, put
in, moved or overwritten, another file's header, tensors that change places, or other metadata.
Loaded with `verify=True` it must equal a file that was saved, or raise ValueError, or warn that it
has no checksums; nothing else, and within seconds. What loads without proof must be searched
without harm.
"""

import argparse
import json
import os
import random
import signal
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

import minifloat as mf
from minifloat.files import checksums

BATCH = 5000
SECONDS = 5

Identity = tuple[str, int, bytes, bytes]


def identity(rows: mf.PackedVectors) -> Identity:
    norms = rows.reciprocal_norms.view(torch.uint8) if len(rows) else torch.empty(0)
    return rows.format.name, rows.dim, rows.codes.numpy().tobytes(), norms.numpy().tobytes()


def originals(folder: Path) -> tuple[list[bytes], set[Identity]]:
    """Return the content of small files, most of several blocks, and what each holds."""
    # Blocks of a few rows.
    checksums._BLOCK_BYTES = 64
    files, known = [], set()
    shapes = ((0, 7), (1, 1), (5, 9), (5, 10), (30, 9), (30, 10), (12, 33))
    for seed, (format, (rows, dim)) in enumerate(
        (format, shape) for format in mf.FORMATS for shape in shapes
    ):
        x = torch.randn(rows, dim, generator=torch.Generator().manual_seed(seed))
        x[1::4] = 0
        saved = mf.quantize(x, format)
        if format.specials != "none" and rows > 9:
            codes = saved.codes.clone()
            codes[7] = 0x7F
            norms = torch.ops.minifloat.reciprocal_norms(codes, format.name, dim)
            saved = mf.PackedVectors(codes, norms, format, dim)
        saved.save(folder / "saved")
        files.append((folder / "saved").read_bytes())
        known.add(identity(saved))
    return files, known


def parts(content: bytes) -> tuple[bytes, bytes]:
    """Return the header and the tensors of a file, as far as there are any."""
    end = 8 + int.from_bytes(content[:8], "little")
    return content[8:end], content[end:]


def joined(header: bytes, data: bytes) -> bytes:
    return len(header).to_bytes(8, "little") + header + data


def flip(content: bytes, other: bytes, chance: random.Random) -> bytes:
    damaged = bytearray(content)
    for _ in range(chance.choice((1, 1, 1, 2, 3, 8))):
        damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
    return bytes(damaged)


def flip_rows(content: bytes, other: bytes, chance: random.Random) -> bytes:
    header, data = parts(content)
    return joined(header, flip(data, other, chance)) if data else flip(content, other, chance)


def cut(content: bytes, other: bytes, chance: random.Random) -> bytes:
    return content[: chance.randrange(len(content))]


def extend(content: bytes, other: bytes, chance: random.Random) -> bytes:
    return content + chance.choice((chance.randbytes(chance.randrange(1, 99)), content, other))


def overwrite(content: bytes, other: bytes, chance: random.Random) -> bytes:
    begin, length = chance.randrange(len(content)), chance.randrange(1, 64)
    source = chance.choice((bytes(length), b"\xff" * length, chance.randbytes(length), other))
    return content[:begin] + source[:length] + content[begin + length :]


def move(content: bytes, other: bytes, chance: random.Random) -> bytes:
    header, data = parts(content)
    a, b, c = sorted(chance.randrange(len(data) + 1) for _ in range(3))
    return joined(header, data[:a] + data[b:c] + data[a:b] + data[c:])


def insert(content: bytes, other: bytes, chance: random.Random) -> bytes:
    at, length = chance.randrange(len(content)), chance.randrange(1, 20)
    if chance.random() < 0.5:
        return content[:at] + content[at + length :]
    return content[:at] + chance.randbytes(length) + content[at:]


def splice_header(content: bytes, other: bytes, chance: random.Random) -> bytes:
    return joined(parts(other)[0], parts(content)[1])


def change_header(content: bytes, other: bytes, chance: random.Random) -> bytes:
    """Tensors that change places, or metadata with other keys and values, in valid JSON."""
    try:
        return with_other_header(content, other, chance)
    # One that is damaged already.
    except (ValueError, KeyError, IndexError, TypeError):
        return flip(content, other, chance)


def with_other_header(content: bytes, other: bytes, chance: random.Random) -> bytes:
    header: dict[str, Any] = json.loads(parts(content)[0])
    metadata, codes, norms = header["__metadata__"], header["codes"], header["reciprocal_norms"]
    values = json.loads(parts(other)[0])["__metadata__"]
    key = chance.choice(sorted(metadata))

    def swap_places() -> None:
        codes["data_offsets"], norms["data_offsets"] = norms["data_offsets"], codes["data_offsets"]

    def swap_tensors() -> None:
        header["codes"], header["reciprocal_norms"] = norms, codes

    def shape() -> None:
        sizes = [0, 1, 2, 3, 5, 9, 12, 30, 2**31, 2**63, 2**64 - 1]
        tensor = chance.choice((codes, norms))
        tensor["shape"] = [chance.choice(sizes) for _ in range(chance.randrange(4))]

    def random_value() -> None:
        length = chance.choice((0, 1, 8, 16, 48, 5000))
        alphabet = chance.choice(
            ("0123456789", "0123456789abcdef", "\N{ARABIC-INDIC DIGIT TWO}3é\0-")
        )
        metadata[key] = "".join(chance.choices(alphabet, k=length))

    def value() -> None:
        metadata[key] = chance.choice(
            ("1", "9", "10", "e5m2", "e4m3", "E3M4", "e3m2", values.get(key, ""))
        )

    def drop() -> None:
        del metadata[key]

    def drop_checksums() -> None:
        for name in [name for name in metadata if name.startswith("crc32")]:
            del metadata[name]

    def add() -> None:
        metadata[chance.choice(("", "note", "Format", "crc32"))] = "e2m1"

    def others_checksums() -> None:
        metadata.update({name: text for name, text in values.items() if name.startswith("crc32")})

    changes = (
        swap_places, swap_tensors, shape, random_value, random_value, value, value, drop, drop,
        drop_checksums, add, others_checksums,
    )  # fmt: skip
    for change in chance.sample(changes, chance.choice((1, 1, 2))):
        if key in metadata:
            change()
    return joined(json.dumps(header).encode(), parts(content)[1])


DAMAGE: tuple[Callable[[bytes, bytes, random.Random], bytes], ...] = (
    flip, flip_rows, flip_rows, flip_rows, flip_rows, cut, extend, overwrite, overwrite, move,
    insert, splice_header, change_header, change_header, change_header,
)  # fmt: skip


def too_long(*_: object) -> None:
    raise TimeoutError(f"a file took more than {SECONDS} s")


def outcome(path: Path, known: set[Identity], *, mmap: bool) -> str:
    """Return what became of a file; AssertionError for wrong rows."""
    try:
        unproven = mf.PackedVectors.load(path, mmap=mmap)
    except ValueError:
        unproven = None
    if unproven is not None and len(unproven):
        mf.search(unproven[:1], unproven, 1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            rows = mf.PackedVectors.load(path, mmap=mmap, verify=True)
    except UserWarning:
        assert unproven is not None
        return "without checksums"
    except ValueError:
        return "refused" if unproven is None else "refused by verify alone"
    assert identity(rows) in known, "these rows were not saved"
    return "equal"


def damage_batch(seed: int, count: int) -> Counter[str]:
    """Return how many files had which outcome; RuntimeError, with the file, for any other."""
    torch.set_num_threads(1)
    chance, found = random.Random(seed), Counter[str]()
    signal.signal(signal.SIGALRM, too_long)
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        files, known = originals(Path(folder))
        path = Path(folder) / "damaged"
        for number in range(count):
            content, other = chance.sample(files, 2)
            for _ in range(chance.choice((1, 1, 1, 2, 3))):
                damage = chance.choice(DAMAGE)
                content = damage(content, other, chance) if len(content) > 8 else content
            path.write_bytes(content)
            signal.alarm(SECONDS)
            try:
                found[outcome(path, known, mmap=chance.random() < 0.5)] += 1
            except BaseException as error:
                text = f"file {number} of seed {seed} ({error!r}): {content!r}"
                raise RuntimeError(text) from error
            finally:
                signal.alarm(0)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", type=int, nargs="?", default=10**6)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    options = parser.parse_args()
    batches = [min(BATCH, options.files - first) for first in range(0, options.files, BATCH)]
    seeds = [options.seed + i for i in range(len(batches))]
    found = Counter[str]()
    # A process that dies breaks the pool.
    with ProcessPoolExecutor(options.processes, get_context("spawn")) as pool:
        results = pool.map(damage_batch, seeds, batches)
        for part in tqdm(results, total=len(batches), disable=not sys.stderr.isatty()):
            found += part
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in sorted(found.items(), reverse=True))
    print(f"{found.total():,} damaged files: {kinds}")


if __name__ == "__main__":
    main()
