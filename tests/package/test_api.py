from pathlib import Path

import pytest

from tests.package import api


def test_what_users_type_is_what_is_recorded() -> None:
    _, lines = api.recorded()
    now = api.described()
    gone, new = sorted({*lines} - {*now}), sorted({*now} - {*lines})
    assert (gone, new) == ([], []), (
        "tell of it in CHANGELOG.md, then run python -m tests.package.api"
    )
    assert lines == now


def test_what_has_changed_is_recorded_only_with_a_changed_changelog(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changelog, file = tmp_path / "CHANGELOG.md", tmp_path / "api.txt"
    changelog.write_text("- `quantize`\n")
    file.write_text(f"{api.digest(changelog.read_text())}\nminifloat.quantise(x, format)\n")
    monkeypatch.setattr(api, "CHANGELOG", changelog)
    monkeypatch.setattr(api, "RECORD", file)
    before = file.read_text()
    with pytest.raises(SystemExit, match=r"^CHANGELOG.md does not tell of what has changed"):
        api.record()
    assert file.read_text() == before
    changelog.write_text("- `quantise` is `quantize` now\n- `quantize`\n")
    api.record()
    assert api.recorded() == (api.digest(changelog.read_text()), api.described())
