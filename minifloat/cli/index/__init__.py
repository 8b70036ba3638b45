"""`minifloat index ...`: an index on the disk is made, changed, searched and proven."""

from __future__ import annotations

import typer

from minifloat.cli.index.add import add
from minifloat.cli.index.build import build
from minifloat.cli.index.check import check
from minifloat.cli.index.compact import compact
from minifloat.cli.index.create import create
from minifloat.cli.index.remove import purge, remove
from minifloat.cli.index.search import search
from minifloat.cli.index.stats import stats

index_app = typer.Typer(
    name="index",
    help="Indexes: rows with ids and columns, which are added to and removed from.",
    rich_markup_mode=None,
    no_args_is_help=False,
)
for _command in (create, build, add, remove, search, stats, check, compact, purge):
    index_app.command()(_command)
