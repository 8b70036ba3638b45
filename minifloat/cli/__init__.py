"""The command line, `minifloat`: a file for each command."""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command that the arguments name, and exit with its code."""
    try:
        from typer.main import get_command

        from minifloat.cli.app import app
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in ("typer", "tqdm"):
            raise
        print(
            f"error: the command line needs {missing}, which is not installed: "
            "pip install 'minifloat[cli]'",
            file=sys.stderr,
        )
        sys.exit(2)
    get_command(app).main(arguments, prog_name="minifloat")
