"""The studies' figures on the samples, held to those on record: a change of the code changes none.

python -m tests.proofs.sample_figures [STUDY[=METRICS.CSV]]...

runs all studies or those named, or takes what they have written. Where figures of this kind of
processor, NumPy and torch are on record, every digit must be right; else as many as the order of
float32's additions leaves. `--record` writes what is found.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import math
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch

from minifloat import _C
from tests.support.paths import ROOT

FIGURES = ROOT / "tests" / "proofs" / "figures"
DIGESTS = FIGURES / "digests.json"
SAMPLES = [ROOT / "evaluation" / "samples" / f"so762-{name}.npz" for name in ("campplus", "ge2e")]
# Maps are made of random numbers: none but float32's, which is always made and not looked at.
OPTIONS = {"bitdepth": [], "separation": ["--umap-formats", "none", "--draws", "200"]}
# A float32 threshold that lies elsewhere by its last digit moves a few pairs of millions to its
# other side.
MOST_PAIRS = 20
MOST_APART = 1e-3


def main(arguments: Sequence[str] | None = None) -> int:
    """Return the exit status: 1 where a figure is another one than on record."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.proofs.sample_figures", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("written", nargs="*", metavar="STUDY[=METRICS.CSV]")
    parser.add_argument("--record", action="store_true", help="write what is found")
    options = parser.parse_args(arguments)
    written = dict(one.partition("=")[::2] for one in options.written)
    if unknown := [name for name in written if name not in OPTIONS]:
        parser.error(f"a study must be one of {', '.join(OPTIONS)}; got {unknown[0]}")
    status = 0
    for name in written or OPTIONS:
        found = Path(written[name]).read_text() if written.get(name) else run(name)
        if options.record:
            record(name, found)
            continue
        wrong = list(differences(name, found))
        print(f"{name}: {len(wrong)} figures are not as on record", *wrong[:20], sep="\n  ")
        status |= bool(wrong)
    return status


def run(name: str) -> str:
    """Return the figures that a study of the samples writes."""
    with TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "evaluation", name, *map(str, SAMPLES), *OPTIONS[name]]
        subprocess.run([*command, "--out", folder], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        return figures_of((Path(folder) / "metrics.csv").read_text())


def figures_of(text: str) -> str:
    """Return a study's figures less those of maps, which no two kinds of processor share."""
    lines = list(csv.DictReader(text.splitlines()))
    kept = [line for line in lines if line.get("space", "cosine") == "cosine"]
    return "\n".join([",".join(kept[0]), *(",".join(line.values()) for line in kept)]) + "\n"


def record(name: str, found: str) -> None:
    """Write what was found to the record."""
    FIGURES.mkdir(exist_ok=True)
    (FIGURES / f"{name}.csv").write_text(figures_of(found))
    digests = recorded()
    digests.setdefault(name, {})[machine()] = digest(found)
    DIGESTS.write_text(json.dumps(digests, indent=2) + "\n")


def recorded() -> dict[str, dict[str, str]]:
    """Return the digests on record, by study, by machine."""
    found: dict[str, dict[str, str]] = json.loads(DIGESTS.read_text()) if DIGESTS.exists() else {}
    return found


def differences(name: str, found: str) -> Iterator[str]:
    """Yield each figure that is not as on record."""
    known = recorded()[name].get(machine())
    exact = known is not None
    if exact and known == digest(found):
        return
    old = list(csv.DictReader((FIGURES / f"{name}.csv").read_text().splitlines()))
    new = list(csv.DictReader(figures_of(found).splitlines()))
    if len(old) != len(new) or list(old[0]) != list(new[0]):
        yield f"{len(old)} lines of {', '.join(old[0])}; got {len(new)} of {', '.join(new[0])}"
        return
    for before, after in zip(old, new, strict=True):
        for heading, text in before.items():
            if after[heading] != text and (exact or not near(text, after[heading])):
                line = " ".join(before[key] for key in ("model", "format", "prepared"))
                yield f"{line}: {heading} {text}; got {after[heading]}"


def near(a: str, b: str) -> bool:
    """Return whether two cells differ by no more than another processor's float32 explains."""
    try:
        x, y = float(a), float(b)
    except ValueError:
        return False
    if a.isdecimal() and b.isdecimal():
        return abs(x - y) <= MOST_PAIRS
    return math.isclose(x, y, rel_tol=MOST_APART, abs_tol=MOST_APART)


def digest(found: str) -> str:
    """Return the digest of all figures."""
    return hashlib.sha256(figures_of(found).encode()).hexdigest()


def machine() -> str:
    """Return what the last digits of float32 depend on."""
    facts = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    kind = [
        found[1] if (found := re.search(rf"^{name}\s*: (.+)$", facts, re.MULTILINE)) else "unknown"
        for name in ("vendor_id", "cpu family", "model")
    ]
    return f"{' '.join(kind)}, {_C.isa()}, torch {torch.__version__}, numpy {np.__version__}"


if __name__ == "__main__":
    sys.exit(main())
