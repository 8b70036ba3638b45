"""What a database takes, computed of measured figures: bytes, machines, seconds, exchange."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import NamedTuple

import minifloat as mf
from benchmarks.scale.figures import Figures, Rates
from minifloat.distributed.exchange.members import TIMEOUT
from minifloat.distributed.exchange.messages import FIRST
from minifloat.distributed.searching.batches import PRODUCTS, at_once
from minifloat.distributed.shards.shares import bounds

# Bytes of a row that a rank has found (score, number, id), and of one in an answer.
FOUND, ANSWERED = 20, 12
# Bytes of a message before its data.
HEADER = 40
# Messages that wait for one another in a round: queries, keys, answers.
MESSAGES = 3
# Machines beyond which none are counted.
MOST = 100_000
# Of a GPU's memory, what is left for other things.
GPU_RESERVE = 0.1


class Database(NamedTuple):
    """Rows of a database, and how many of them are asked for.

    in_frame: rows have coordinates in a frame, 4 bytes each. errors: rows keep a byte more, by
    which originals prove answers.
    """

    rows: int
    dim: int
    k: int = 10
    in_frame: bool = False
    errors: bool = False

    def row_bytes(self, format: mf.Format) -> int:
        """Return the bytes of a row: codes, norm, and what else it keeps."""
        return format.row_bytes(self.dim) + 4 + 4 * self.in_frame + self.errors


class Kind(NamedTuple):
    """A kind of machine: GB of memory and those kept for other things, cores, GB/s, us a message.

    Without a bandwidth, of memory or network, nothing waits for it.
    """

    memory: float
    reserve: float
    cores: float
    memory_bandwidth: float = math.inf
    disk: float = math.inf
    network: float = math.inf
    latency: float = 0.0


# Cores of the machine that a GPU is in.
_HOST_CORES = 16


class Gpu(NamedTuple):
    """A GPU: GB of memory, TB/s that rows are read at, 10^12 operations a second."""

    memory: float
    bandwidth: float
    tops: float


class Exchange(NamedTuple):
    """Bytes to all ranks, from all, and of the answers, and the seconds of a round in all."""

    queries: int
    keys: int
    answers: int
    seconds: float


def machines(bytes: int, memory: float, reserve: float) -> int:
    """Return how many machines hold so many bytes; memory and what is kept of it in GB."""
    return math.ceil(bytes / ((memory - reserve) * 1e9))


def rows_of_one(rows: int, ranks: int) -> int:
    """Return the most rows that one of the ranks has."""
    return max(end - first for first, end in pairwise(bounds(rows, ranks)))


def batch(database: Database, ranks: int, cores: float) -> int:
    """Return how many queries at most the library sends at once, from ranks of so many cores."""
    products = rows_of_one(database.rows, ranks) * database.dim
    return at_once(products, FOUND * database.k * ranks, int(PRODUCTS * cores * TIMEOUT))


def rate(rates: Rates, bytes_per_product: float, queries: int) -> float:
    """Return products a second in batches of so many queries.

    Between two numbers that were measured it is drawn as a line over the logarithm of the queries.
    """
    known = {1: rates.bytes_per_s / bytes_per_product} | rates.products_per_s
    numbers = sorted(known)
    for low, high in pairwise(numbers):
        if low <= queries <= high:
            share = math.log(queries / low) / math.log(high / low)
            return known[low] + share * (known[high] - known[low])
    return known[numbers[-1]]


def scan_seconds(
    figures: Figures, format: mf.Format, database: Database, ranks: int, kind: Kind, queries: int
) -> float:
    """Return the seconds in which a rank has searched its rows in memory, batch by batch."""
    measured = Database(1, figures.dim)
    of_product = measured.row_bytes(format) / figures.dim
    rows = rows_of_one(database.rows, ranks)
    at_once = batch(database, ranks, kind.cores)
    total = 0.0
    for some in _batches(queries, at_once):
        per_s = rate(figures.formats[str(format)], of_product, some) * kind.cores / figures.threads
        by_products = rows * some * database.dim / per_s
        by_bytes = rows * database.row_bytes(format) / (kind.memory_bandwidth * 1e9)
        total += max(by_products, by_bytes)
    return total


def disk_seconds(
    figures: Figures, format: mf.Format, database: Database, ranks: int, kind: Kind, queries: int
) -> float:
    """Return the seconds of a rank whose rows are on its disk, read once for each batch."""
    bytes = rows_of_one(database.rows, ranks) * database.row_bytes(format)
    batches = len(_batches(queries, batch(database, ranks, kind.cores)))
    read = batches * bytes / (kind.disk * 1e9)
    return read + scan_seconds(figures, format, database, ranks, kind, queries)


def gpu_seconds(format: mf.Format, database: Database, cards: int, gpu: Gpu, queries: int) -> float:
    """Return the seconds of one GPU of several: the larger of reading and of multiplying."""
    rows = rows_of_one(database.rows, cards)
    batches = len(_batches(queries, batch(database, cards, _HOST_CORES)))
    read = batches * rows * database.row_bytes(format) / (gpu.bandwidth * 1e12)
    return max(read, 2 * rows * queries * database.dim / (gpu.tops * 1e12))


def exchange(
    figures: Figures, format: mf.Format, database: Database, ranks: int, kind: Kind, queries: int
) -> Exchange:
    """Return what ranks exchange for float queries that one has, with the answer to all ranks."""
    if ranks == 1:
        return Exchange(0, 0, 0, 0.0)
    value = 4 if format.lane == "float" else 2
    of_query = value * database.dim + 4 + 4 * database.in_frame
    others, sums = ranks - 1, [0, 0, 0]
    time = 0.0
    for some in _batches(queries, batch(database, ranks, kind.cores)):
        data = some * of_query, some * FOUND * database.k, some * ANSWERED * database.k
        each = [others * message_bytes(bytes) for bytes in data]
        sums = [a + b for a, b in zip(sums, each, strict=True)]
        time += round_seconds(figures, ranks, some) + MESSAGES * kind.latency * 1e-6
        time += sum(each) / (kind.network * 1e9)
    return Exchange(sums[0], sums[1], sums[2], time)


def machines_in_time(
    figures: Figures, format: mf.Format, database: Database, kind: Kind, target: float
) -> int | None:
    """Return the fewest machines that answer one query within some seconds; None if none do."""
    least = 1
    while least <= MOST:
        given = figures, format, database, least, kind, 1
        exchanged = exchange(*given).seconds
        if exchanged >= target:
            return None
        scanned = scan_seconds(*given)
        if scanned + exchanged <= target:
            return least
        # More machines exchange more: with this little time left, fewer than these never do.
        least = max(least + 1, math.floor(scanned * least / (target - exchanged)))
    return None


def message_bytes(bytes: int) -> int:
    """Return the bytes of a message of so much data: never less than the first part has."""
    return max(FIRST, HEADER + bytes)


def round_seconds(figures: Figures, ranks: int, queries: int) -> float:
    """Return the seconds of a round: as measured of the fewest ranks, and more for each more.

    That is what rank 0 is busy longer with: processes that share a machine's cores wait for these
    too, which machines of their own do not. Of queries, by a line through what was measured.
    """
    fewest = min(figures.round_s)
    busy = figures.round_cpu_s
    low, high = min(busy), max(busy)
    each = [_of_queries(busy[number], queries) for number in (low, high)]
    more = max(0.0, each[1] - each[0]) / max(1, high - low)
    return _of_queries(figures.round_s[fewest], queries) + more * max(0, ranks - fewest)


def _of_queries(times: dict[int, float], queries: int) -> float:
    numbers = sorted(times)
    first, last = numbers[0], numbers[-1]
    if first == last:
        return times[first] * max(1.0, queries / first)
    slope = max(0.0, (times[last] - times[first]) / (last - first))
    return times[first] + slope * max(0, queries - first)


def _batches(queries: int, at_once: int) -> list[int]:
    """Return how many queries each batch has."""
    full, rest = divmod(queries, at_once)
    return [at_once] * full + [rest] * (rest > 0)
