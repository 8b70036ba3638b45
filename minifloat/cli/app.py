"""All commands, by their names."""

from __future__ import annotations

import typer

from minifloat.cli.commands import Commands
from minifloat.cli.convert import convert
from minifloat.cli.duplicates import duplicates
from minifloat.cli.index import index_app
from minifloat.cli.info import info
from minifloat.cli.others import add_others
from minifloat.cli.quantize import quantize
from minifloat.cli.search import search
from minifloat.cli.verify import verify

app = typer.Typer(
    cls=Commands,
    help="Embeddings in 8, 6 or 4 bits a value: made, searched, compared and converted. "
    "Exit codes: 0 fine, 1 what was looked at is wrong, 2 wrong call or input, 130 interrupted.",
    invoke_without_command=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.callback()
def _help(context: typer.Context) -> None:
    """Print what there is where no command is named."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


for _command in (info, quantize, search, duplicates, convert, verify):
    app.command()(_command)
app.add_typer(index_app, name="index")
add_others(app)
