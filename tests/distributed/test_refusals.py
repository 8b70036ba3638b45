"""What ranks refuse all of them refuse, in words that say what is allowed."""

import json
from pathlib import Path

from tests.distributed.databases import ROWS, write_files, write_index
from tests.support.launched import launched

PROGRAM = "from tests.distributed.refused import main; main()"

WHERE = 'where must be a condition of SQL over id, day, such as "id = 7"; got '


def test_all_ranks_refuse_what_one_cannot_do(tmp_path: Path) -> None:
    write_files(tmp_path, "e2m1")
    write_index(tmp_path / "index-numbers", [*range(ROWS)])
    (tmp_path / "empty").mkdir()
    ended = launched(PROGRAM, 2, [str(tmp_path)])
    assert [one.status for one in ended] == [0, 0], ended[0].err + ended[1].err
    first, second = (json.loads(one.out) for one in ended)
    alike = {name: text for name, text in first.items() if second[name] == text}
    folder = tmp_path
    expected = {
        "k": f"ValueError: k must be in 1..{ROWS}, the rows that take part; got {ROWS + 1}",
        "k below 1": "ValueError: k must be 1 or more, and offset 0 or more; got 0 and 0",
        "dim": "ValueError: queries must be floating-point rows (rows, 48); got float32 of shape "
        "(5, 3)",
        "src": "ValueError: src must be a rank, 0..1; got 7",
        "mask": f"ValueError: mask must be bool of shape ({ROWS // 2},); got bool of shape (3,)",
        "ranges": f"ValueError: ranges must ascend within 0..{ROWS} and not overlap; got 3 after 5",
        "where": "ValueError: where and only are of an index; these rows take mask= and ranges=",
        "rescore": "ValueError: rescore is of a search that reads originals",
        "limit": "ValueError: more than limit=3 rows reach their thresholds: raise the "
        "thresholds, or the limit",
        "order": "ValueError: order must be row or score; got 'id'",
        "good after all": 5,
        "closed": "ValueError: the shard was closed: open it again",
        "condition": f"ValueError: {WHERE}'nonsense(': incomplete input",
        "id": "KeyError: '1 of 2 ids are not in the index: -7'",
        "mask of an index": "ValueError: mask and ranges are of files; rows of an index take "
        "where= and only=",
        "versions of files": "ValueError: files have no versions; got version 3",
        "version": f"LookupError: {folder}/index-numbers keeps versions 0 to 3; got 99",
        "timeout": "ValueError: timeout must be more than 0 seconds; got 0",
    }
    del expected["mask"]
    assert {name: alike.get(name, second[name]) for name in expected} == expected
    assert {name: first[name] for name in expected} == expected
    # These differ by rank: who has met it raises it, and others name the rank.
    assert first["mask"].startswith(f"ValueError: mask must be bool of shape ({ROWS // 2},)")
    text = "queries must be the same on all ranks, unless src= says which one has them"
    assert second["others"] == f"ValueError: {text}; rank 1 has others than those of rank 0"
    assert first["others"] == f"ValueError: rank 1: {text}; rank 1 has others than those of rank 0"
    assert second["none"] == "ValueError: rank 1 must give the queries; got None"
    assert "FileNotFoundError" in first["nothing there"]
    assert second["nothing there"].startswith("RankError: rank 0 failed: FileNotFoundError: ")
    assert "must be an index, a safetensors file, a folder or list of such" in first["no files"]
