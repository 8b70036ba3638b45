"""Ways to damage a file of packed vectors, each by what is drawn from `chance`."""

import json
import random
from collections.abc import Callable
from typing import Any


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
