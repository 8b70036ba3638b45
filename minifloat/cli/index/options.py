"""Options and arguments of the commands of an index, each with one name and one text."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import typer

from minifloat.cli.options import READ

IndexPath: TypeAlias = Annotated[
    str, typer.Argument(metavar="INDEX", help="The folder of an index.")
]
NewIndex: TypeAlias = Annotated[
    str, typer.Argument(metavar="INDEX", help="The folder of the new index, not there yet.")
]
FirstRows: TypeAlias = Annotated[
    str | None,
    typer.Argument(metavar="[IN]", help=f"Rows to begin with: {READ}; - is .npy from stdin."),
]
GivenIds: TypeAlias = Annotated[
    list[str] | None, typer.Argument(metavar="[ID]...", help="Ids of rows.")
]
IdLines: TypeAlias = Annotated[
    str | None,
    typer.Option("--ids", metavar="FILE", help="A text with more ids, one a line; - is stdin."),
]
IdType: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--id-type",
        metavar="NAME",
        help="What ids of texts are: integer, text or uuid. Without it as those of the index, or "
        "text.",
    ),
]
Columns: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--column",
        metavar="NAME=TYPE",
        help="A column beside the vectors: integer, real, text, blob or boolean, with ' indexed' "
        "after it where rows are often chosen by it. May be repeated.",
    ),
]
ColumnNames: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--column",
        metavar="NAME",
        help="A column of IN that is taken. May be repeated; without it all that the index has.",
    ),
]
NoColumns: TypeAlias = Annotated[
    bool, typer.Option("--no-columns", help="Take no columns of IN: they are empty.")
]
Replace: TypeAlias = Annotated[
    bool, typer.Option("--replace", help="Replace rows whose ids are there, in place of an error.")
]
IgnoreMissing: TypeAlias = Annotated[
    bool, typer.Option("--ignore-missing", help="Pass over ids that are not there.")
]
Erase: TypeAlias = Annotated[
    bool, typer.Option("--erase", help="Overwrite what was removed before its files go.")
]
Dim: TypeAlias = Annotated[
    int | None,
    typer.Option("--dim", metavar="N", help="Values of a row, where there is no IN to tell."),
]
Sources: TypeAlias = Annotated[
    list[str],
    typer.Argument(
        metavar="IN...",
        help="Rows, one file after the other: .npy, or .safetensors with floats or packed rows.",
    ),
]
FrameFile: TypeAlias = Annotated[
    str,
    typer.Option(
        "--frame",
        metavar="none|FILE",
        help="Frame that rows are brought into: none, or that of a packed FILE.",
    ),
]
IdFiles: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--ids",
        metavar="FILE",
        help="A .npy with the ids of an IN, integers or texts. Once for each IN, in their order.",
    ),
]
Timeout: TypeAlias = Annotated[
    float,
    typer.Option(
        "--timeout",
        metavar="SECONDS",
        help="So long a process may take for one step before the others give it up.",
    ),
]
