import pytest

import minifloat as mf
from benchmarks.scale import plan
from benchmarks.scale.plan import Database, Gpu, Kind
from minifloat.distributed.exchange import messages
from minifloat.distributed.searching import best
from tests.benchmarks.scale_figures import FIGURES
from tests.support.rows import normal

E3M4, E4M3, E2M1 = mf.E3M4, mf.E4M3, mf.E2M1
# A hundred million rows: 26 GB in 8 bits, 13.2 GB in 4.
DATABASE = Database(10**8, 256)
KIND = Kind(memory=16, reserve=2, cores=4, disk=2, network=1, latency=10)


def test_rows_have_the_bytes_of_the_library() -> None:
    x = normal(1000, 96)
    frame = mf.Frame.fit(x)
    for format in mf.FORMATS:
        plain, kept = mf.quantize(x, format), mf.quantize(x, format, frame=frame, errors=True)
        assert Database(1, 96).row_bytes(format) * 1000 == plain.nbytes
        whole = Database(1, 96, in_frame=True, errors=True).row_bytes(format)
        assert whole * 1000 == kept.nbytes
    assert Database(1, 256).row_bytes(E2M1) == 132


def test_machines_are_those_that_hold_all_bytes() -> None:
    assert plan.machines(26 * 10**9, 16, 2) == 2
    assert plan.machines(28 * 10**9, 16, 2) == 2
    assert plan.machines(28 * 10**9 + 1, 16, 2) == 3


def test_sizes_are_the_librarys() -> None:
    assert plan.FOUND == best._FOUND
    assert messages.Kind.ANSWER + 1 == plan.MESSAGES
    assert messages._HEADER == plan.HEADER
    assert plan.message_bytes(0) == plan.message_bytes(16384 - 40) == 16384
    assert plan.message_bytes(16384) == 16384 + 40


def test_rates_between_two_numbers_lie_on_a_line_over_the_logarithm() -> None:
    of_product = 260 / 256
    rates = FIGURES.formats["e3m4"]
    assert plan.rate(rates, of_product, 1) == pytest.approx(25.6e9)
    assert plan.rate(rates, of_product, 8) == pytest.approx((25.6e9 + 100e9) / 2)
    assert plan.rate(rates, of_product, 64) == 100e9
    assert plan.rate(rates, of_product, 256) == pytest.approx(150e9)
    assert plan.rate(rates, of_product, 5000) == 200e9


def test_seconds_are_products_over_what_all_cores_do() -> None:
    # One query reads 13 GB at 52 GB/s, half of the rows at twice the figures' threads.
    assert plan.scan_seconds(FIGURES, E3M4, DATABASE, 2, KIND, 1) == pytest.approx(0.25, rel=1e-3)
    slow = KIND._replace(memory_bandwidth=10)
    assert plan.scan_seconds(FIGURES, E3M4, DATABASE, 2, slow, 1) == pytest.approx(1.3, rel=1e-3)
    few = Database(10**6, 256)
    times = plan.scan_seconds(FIGURES, E3M4, few, 1, KIND, 64)
    assert times == pytest.approx(1e6 * 64 * 256 / 200e9)
    # Of 1100 queries, 1024 go first.
    rest = 76 / plan.rate(FIGURES.formats["e3m4"], 260 / 256, 76)
    both = 1e6 * 256 / 2 * (1024 / 200e9 + rest)
    assert plan.scan_seconds(FIGURES, E3M4, few, 1, KIND, 1100) == pytest.approx(both)


def test_a_disk_is_read_once_a_batch() -> None:
    few = Database(10**6, 256)
    for queries, batches in ((1, 1), (1024, 1), (1025, 2)):
        scanned = plan.scan_seconds(FIGURES, E3M4, few, 1, KIND, queries)
        found = plan.disk_seconds(FIGURES, E3M4, few, 1, KIND, queries)
        assert found - scanned == pytest.approx(batches * 0.26 / 2)


def test_exchange_is_counted_message_by_message() -> None:
    few = Database(10**6, 256)
    found = plan.exchange(FIGURES, E3M4, few, 3, KIND, 64)
    # 64 queries of 256 int16 and a norm; 10 keys of 20 bytes, and rows of 12, to two others.
    assert found.queries == 2 * (64 * 516 + 40)
    assert (found.keys, found.answers) == (2 * 16384, 2 * 16384)
    bytes = sum(found[:3])
    assert found.seconds == pytest.approx(2e-3 + 30e-6 + bytes / 1e9)
    floats = plan.exchange(FIGURES, E4M3, few, 3, KIND, 64)
    assert floats.queries == 2 * (64 * 1028 + 40)
    assert plan.exchange(FIGURES, E3M4, few, 1, KIND, 64).seconds == 0
    assert plan.round_seconds(FIGURES, 2, 1) == pytest.approx(1e-4)
    assert plan.round_seconds(FIGURES, 6, 1) == pytest.approx(5e-4)
    assert plan.round_seconds(FIGURES, 2, 127) == pytest.approx(1.9e-3)


def test_a_gpu_takes_as_long_as_the_slower_of_reading_and_multiplying() -> None:
    few, gpu = Database(10**6, 256), Gpu(80, 1, 100)
    assert plan.gpu_seconds(E3M4, few, 1, gpu, 1) == pytest.approx(260e6 / 1e12)
    assert plan.gpu_seconds(E3M4, few, 1, gpu, 1024) == pytest.approx(2 * 256e6 * 1024 / 1e14)


def test_the_fewest_machines_that_are_in_time_are_found() -> None:
    given = FIGURES, E3M4, DATABASE
    found = plan.machines_in_time(*given, KIND, 0.05)
    assert found is not None

    def seconds(ranks: int) -> float:
        exchanged = plan.exchange(*given, ranks, KIND, 1).seconds
        return plan.scan_seconds(*given, ranks, KIND, 1) + exchanged

    assert seconds(found) <= 0.05 < seconds(found - 1)
    assert plan.machines_in_time(*given, KIND, 1) == 1
    assert plan.machines_in_time(*given, KIND, 1e-3) is None
