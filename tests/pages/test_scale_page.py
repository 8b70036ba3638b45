"""The program of docs/performance/scale.md, as torchrun starts it."""

import re
import subprocess
import sys
from pathlib import Path

import minifloat as mf
from tests.pages.reading import blocks, read
from tests.support.paths import ROOT
from tests.support.rows import normal

PAGE = "docs/performance/scale.md"


def test_the_program_runs_on_two_ranks_and_alone(tmp_path: Path) -> None:
    rows = tmp_path / "rows.safetensors"
    mf.quantize(normal(10_000, 256), "e3m4").save(rows)
    (text,) = (block.text for block in blocks(PAGE, read(PAGE)) if "open_shard(" in block.text)
    lines = re.findall(r"^(?:>>>|\.\.\.) (.*)$", text.replace("folder.cleanup()", ""), re.MULTILINE)
    program = tmp_path / "program.py"
    program.write_text("\n".join([f"import sys\npath = {str(rows)!r}", *lines]))
    launcher = ["-m", "torch.distributed.run", "--nproc-per-node", "2"]
    launcher += ["--rdzv-backend", "c10d", "--rdzv-endpoint", "localhost:0"]
    for words in ([], launcher):
        done = subprocess.run(
            [sys.executable, *words, str(program)],
            cwd=ROOT,
            env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "GLOO_SOCKET_IFNAME": "lo"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout == "torch.Size([3, 10]) 10000\n"
