"""Options and arguments that commands take, each with one name and one text."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import typer

from minifloat.formats import FORMATS

READ = ".npy, .npz, .safetensors, .parquet, .arrow or .feather"


def _formats(incomplete: str) -> list[str]:
    return [format.name for format in FORMATS if format.name.startswith(incomplete)]


def _whole(text: str) -> int:
    return int(_number(text, int, "a whole number"))


def _real(text: str) -> float:
    return _number(text, float, "a number")


def _number(text: str, kind: type[float], what: str) -> float:
    try:
        return kind(text)
    except ValueError:
        raise typer.BadParameter(f"must be {what}; got {text!r}") from None


# What is read.
In: TypeAlias = Annotated[
    str, typer.Argument(metavar="IN", help=f"Rows: {READ}; - is .npy from stdin.")
]
Queries: TypeAlias = Annotated[
    str,
    typer.Argument(
        metavar="QUERIES",
        help=f"Rows to look for, floats or packed: {READ}; - is .npy from stdin.",
    ),
]
Database: TypeAlias = Annotated[
    str, typer.Argument(metavar="DATABASE", help="A file of packed vectors, or an index.")
]
Described: TypeAlias = Annotated[
    str | None,
    typer.Argument(metavar="[FILE]", help=f"Packed vectors, an index, or rows: {READ}."),
]
Trials: TypeAlias = Annotated[
    str,
    typer.Argument(
        metavar="TRIALS",
        help="A text of lines 'id id', 'label id id' (label 0 or 1) or 'id id label' (target or "
        "nontarget); - is stdin.",
    ),
]
Key: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--key",
        metavar="NAME",
        help="Array, tensor or column of the vectors, where a file has several.",
    ),
]
Id: TypeAlias = Annotated[
    str | None,
    typer.Option("--id", metavar="NAME", help="Array, tensor or column of the rows' ids."),
]
Ids: TypeAlias = Annotated[
    str | None,
    typer.Option("--ids", metavar="FILE", help="A text with the id of each row, one a line."),
]
DatabaseIds: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--ids",
        metavar="FILE",
        help="A text with the id of each row of a packed file, one a line: results then have ids "
        "in place of row numbers.",
    ),
]
QueryId: TypeAlias = Annotated[
    str | None,
    typer.Option("--query-id", metavar="NAME", help="Array, tensor or column of the queries' ids."),
]
QueryIds: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--query-ids", metavar="FILE", help="A text with the id of each query, one a line."
    ),
]


# How rows are stored.
FormatName: TypeAlias = Annotated[
    str,
    typer.Option(
        "--format",
        metavar="NAME",
        help=f"One of {', '.join(format.name for format in FORMATS)}, "
        "or as torch and ml_dtypes call it.",
        autocompletion=_formats,
        show_default=False,
    ),
]
FrameOf: TypeAlias = Annotated[
    str,
    typer.Option(
        "--frame",
        metavar="fit|none|FILE",
        help="Frame that rows are brought into: fitted to at most 16384 of them, for which IN is "
        "read twice; none; or that of a packed FILE.",
    ),
]
Errors: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--errors",
        help="Keep how far rounding turned each row, 1 byte a row: for exact "
        "answers by --originals.",
    ),
]
Scale: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--scale",
        metavar="NAME",
        help="What rows are multiplied by: amax, cosine or none. Without it amax, in a frame "
        "cosine.",
    ),
]
Estimator: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--estimator",
        metavar="NAME",
        help="norm, or unbiased: scores that are right on average. Without it norm, in a frame "
        "unbiased.",
    ),
]
Rounding: TypeAlias = Annotated[
    str,
    typer.Option(
        "--rounding",
        metavar="NAME",
        help="nearest, or feedback: codes take up each other's errors, with --frame fit.",
    ),
]

# What is looked for.
K: TypeAlias = Annotated[
    int,
    typer.Option(
        "-k", metavar="N", parser=_whole, help="So many of the nearest rows for each query."
    ),
]
Reach: TypeAlias = Annotated[
    float | None,
    typer.Option(
        "--threshold",
        metavar="COSINE",
        parser=_real,
        help="All rows whose score is at least this, in place of the nearest -k.",
    ),
]
Threshold: TypeAlias = Annotated[
    float,
    typer.Option(
        "--threshold",
        metavar="COSINE",
        parser=_real,
        help="The least score, from -1 to 1.",
        show_default=False,
    ),
]
Originals: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--originals",
        metavar="FILE",
        help="The float rows that the database was made of, .npy or .safetensors: answers are then "
        "proven to be theirs.",
    ),
]
OriginalsKey: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--originals-key", metavar="NAME", help="Tensor of the originals, where there are several."
    ),
]
Where: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--where",
        metavar="SQL",
        help="Only rows of an index whose columns say so, such as 'tenant = 7 AND day > 20'.",
    ),
]

Verify: TypeAlias = Annotated[
    bool,
    typer.Option("--verify", help="Read the whole packed file and compare its checksums."),
]
CountsOnly: TypeAlias = Annotated[
    bool, typer.Option("--counts", help="One line of counts in place of a line a trial.")
]

# What is written.
PackedOut: TypeAlias = Annotated[
    str, typer.Argument(metavar="OUT", help="The file of packed vectors, .safetensors.")
]
Converted: TypeAlias = Annotated[
    str, typer.Argument(metavar="OUT", help=f"Where rows go: {READ}; - is .npy to stdout.")
]
Decode: TypeAlias = Annotated[
    bool, typer.Option("--decode", help="Make float32 of packed rows where they could stay packed.")
]
IdsOut: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--ids-out",
        metavar="FILE",
        help="Write the ids of --id to a text, one a line, as --ids of other commands takes them.",
    ),
]
Out: TypeAlias = Annotated[
    str, typer.Option("--out", metavar="FILE", help="Where results go; - is stdout.")
]
Json: TypeAlias = Annotated[
    bool, typer.Option("--json", help="Results as a line of JSON each, in place of CSV.")
]
JsonFacts: TypeAlias = Annotated[
    bool, typer.Option("--json", help="One object of JSON, in place of lines.")
]
