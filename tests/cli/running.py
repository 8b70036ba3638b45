"""The command line as tests run it: in this process, or in one of its own."""

import csv
import io
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from minifloat.cli.app import app
from tests.support.paths import ROOT

ENVIRONMENT = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, sys.path)])}
PROGRAM = [sys.executable, "-P", "-m", "minifloat"]


@dataclass(frozen=True)
class Done:
    """How a command ended, and what it wrote."""

    code: int
    out: str
    err: str

    def table(self) -> list[dict[str, str]]:
        return [*csv.DictReader(io.StringIO(self.out))]

    def objects(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


def run(*words: object, stdin: bytes = b"") -> Done:
    """Run a command in this process."""
    found = CliRunner().invoke(app, [str(word) for word in words], input=stdin)
    if found.exception is not None and not isinstance(found.exception, SystemExit):
        raise found.exception
    return Done(found.exit_code, found.stdout, found.stderr)


def fine(*words: object, stdin: bytes = b"") -> Done:
    """Run a command that ends well and says nothing on stderr."""
    done = run(*words, stdin=stdin)
    assert (done.code, done.err) == (0, ""), done
    return done


def refused(*words: object, stdin: bytes = b"") -> str:
    """Run a command that cannot be; return its one line without `error: `."""
    done = run(*words, stdin=stdin)
    assert (done.code, done.out) == (2, ""), done
    assert done.err.startswith("error: ")
    assert done.err.count("\n") == 1
    return done.err.removeprefix("error: ").rstrip("\n")


def process(*words: object, cwd: Path, **options: Any) -> subprocess.Popen[bytes]:
    """Start a command in a process of its own."""
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    return subprocess.Popen(
        [*PROGRAM, *map(str, words)], cwd=cwd, env=ENVIRONMENT, **{**pipes, **options}
    )
