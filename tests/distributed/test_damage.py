"""A rank whose files are damaged is named, and left out only where that is asked for."""

import json
from pathlib import Path

from tests.distributed.databases import CUTS, ROWS, write_files
from tests.support.launched import launched

PROGRAM = "from tests.distributed.damaged import main; main()"

RANKS = 3


def test_rows_that_are_damaged_are_missing_only_where_that_is_allowed(tmp_path: Path) -> None:
    packed = write_files(tmp_path, "e2m1")
    path = tmp_path / "many" / "4.safetensors"
    bounds = [ROWS * rank // RANKS for rank in range(RANKS + 1)]
    row = 2700
    assert bounds[2] < CUTS[4] < row
    data = bytearray(path.read_bytes())
    # Codes of one row, in a file whose rows are all the last rank's.
    place = data.index(packed.codes[row].numpy().tobytes())
    data[place] ^= 0xFF
    path.write_bytes(data)
    ended = launched(PROGRAM, RANKS, [str(tmp_path / "many"), str(tmp_path / "one.safetensors")])
    assert [one.status for one in ended] == [0] * RANKS, ended[0].err + ended[1].err
    said = [json.loads(one.out) for one in ended]
    missing = [[2, bounds[2], bounds[3]]]
    for rank, one in enumerate(said):
        reason = one["reason"]
        assert reason.startswith(
            f"{path} is damaged: the codes of rows 0 to 500 have another CRC-32"
        )
        own = f"DamagedError: {reason}"
        others = f"RankError: rank 2 cannot read its rows: {reason}"
        assert one["open"] == (own if rank == 2 else others)
        others = f"RankError: rank 2 failed: DamagedError: {reason}"
        assert one["search"] == (own if rank == 2 else others)
        assert (one["missing"], one["told"]) == (missing, missing)
        assert (one["equal"], one["reached"]) == (True, True)
