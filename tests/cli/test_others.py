"""Commands of other packages: the studies, and whoever names an entry point."""

from importlib.metadata import Distribution, EntryPoint, distribution
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from minifloat.cli.commands import Commands
from minifloat.cli.others import GROUP, passing_on


def test_the_studies_are_a_command() -> None:
    (point,) = distribution("minifloat").entry_points.select(group=GROUP)
    assert (point.name, point.value) == ("study", "evaluation.__main__:main")


def passed(point: EntryPoint, *words: str) -> Any:
    app = typer.Typer(cls=Commands, rich_markup_mode=None)
    app.callback()(lambda: None)
    how = {"ignore_unknown_options": True, "allow_interspersed_args": False}
    app.command("other", context_settings={**how, "allow_extra_args": True}, add_help_option=False)(
        passing_on(point)
    )
    return CliRunner().invoke(app, ["other", *words])


def echo(words: list[str]) -> int:
    print(words)
    return 3


def test_other_commands_get_all_arguments_as_they_are() -> None:
    words = ["bitdepth", "a=b", "--draws", "10", "-x", "--help", "--", "c"]
    done = passed(EntryPoint("other", "tests.cli.test_others:echo", GROUP), *words)
    assert (done.exit_code, done.stdout) == (3, f"{words}\n")
    assert passed(EntryPoint("other", "tests.cli.test_others:echo", GROUP), "--help").exit_code == 3


def test_the_studies_own_errors_and_help_are_theirs() -> None:
    point = EntryPoint("study", "evaluation.__main__:main", GROUP)
    done = passed(point, "bitdepth", "nowhere.npz")
    assert (done.exit_code, done.stderr) == (2, "error: nowhere.npz: no such file\n")


@pytest.mark.parametrize(
    ("extras", "installs"),
    [(["evaluation"], "pip install 'minifloat[evaluation]'"), ([], "pip install 'minifloat'")],
)
def test_a_command_whose_packages_are_missing_names_the_extra(
    extras: list[str], installs: str
) -> None:
    class Fake(Distribution):
        def read_text(self, filename: str) -> str | None:
            lines = ["Name: minifloat", *(f"Provides-Extra: {extra}" for extra in extras)]
            return "\n".join(lines) if filename == "METADATA" else None

        def locate_file(self, path: Any) -> Any:
            raise NotImplementedError

    point = EntryPoint("study", "evaluation.needing:main", GROUP)
    vars(point)["dist"] = Fake()
    done = passed(point)
    told = f"minifloat study needs evaluation.needing, which is not installed: {installs}"
    assert (done.exit_code, done.stderr) == (2, f"error: {told}\n")
