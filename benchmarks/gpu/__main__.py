"""The command line: python -m benchmarks.gpu ..., which imports nothing that could break."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Lock
from time import monotonic
from typing import Any

from benchmarks.gpu.options import PROGRAM, Options, parse, parser
from benchmarks.gpu.report import LOG, NAME, Report
from benchmarks.gpu.steps import Step, steps
from benchmarks.gpu.supervisor import Listener, supervise
from benchmarks.harness.machine import commit


def main(arguments: Sequence[str] | None = None) -> int:
    """Return the exit status: 0, 1 where something failed, 2 for what the user can mend."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    options = parse(given)
    all_steps = steps(options)
    names = [step.name for step in all_steps]
    for name in options.steps:
        if name not in names:
            parser().error(f"--steps must be of {', '.join(names)}; got {name!r}")
    chosen = [step for step in all_steps if not options.steps or step.name in options.steps]
    about = {
        "command": shlex.join([PROGRAM, *given]),
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": options.commit or commit(),
        "processor_cores": os.cpu_count(),
        "scale": options.scale,
    }
    try:
        report = Report(options.out, about, options.resume)
    except (OSError, ValueError, KeyError) as error:
        parser().error(f"--out {options.out} or --resume {options.resume}: {error}")
    with open(options.out / LOG, "a", buffering=1) as log:
        run = Run(options, report, log, sum(step.seconds for step in chosen))
        for step in chosen:
            run.do(step)
            if step.name == "build" and report.failures:
                run.say("== without the CUDA kernels there is nothing to run")
                return 1
    report.complete()
    print(f"== {run.seconds:.0f} s, {report.failures} failed: {options.out / NAME}")
    return 1 if report.failures else 0


class Run:
    """Steps one after the other, whose lines go to a log and whose events go to a report."""

    def __init__(self, options: Options, report: Report, log: Any, ahead: float) -> None:
        self._report, self._log, self._lock = report, log, Lock()
        self._start = monotonic()
        self._end = self._start + 60 * options.minutes
        self._share = options.minutes / 9
        # The seconds of all steps that are still to come: what one leaves is for those.
        self._ahead = ahead

    @property
    def seconds(self) -> float:
        """How long it has gone on."""
        return monotonic() - self._start

    def say(self, line: str) -> None:
        """Put a line into the log and onto the terminal."""
        self.note(line)
        print(line, flush=True)

    def note(self, line: str) -> None:
        """Put a line into the log."""
        with self._lock:
            self._log.write(f"{self.seconds:7.1f} {line}\n")

    def do(self, step: Step) -> None:
        """Do a step, as far as its time and that of the run allow."""
        begin = monotonic()
        share = max(self._share, (self._end - begin) / self._ahead)
        until = min(self._end, begin + step.seconds * share)
        self._ahead -= step.seconds
        self.say(f"== {step.name}, {until - begin:.0f} s at most")
        done = self._report.done(step.name)
        listener = Listener(self._listen, lambda event: self._hear(step.name, event))
        with ThreadPoolExecutor(len(step.workers)) as pool:
            tasks = [
                pool.submit(supervise, worker, done, until, listener) for worker in step.workers
            ]
            whys = sorted({why for task in tasks if (why := task.result())})
        self._report.end(step.name, monotonic() - begin, "; ".join(whys) or None)
        self._tell(step.name)

    def _listen(self, line: str) -> None:
        # What is to be seen at once is set in; there are thousands of others.
        (self.say if line.startswith("   ") else self.note)(line)

    def _hear(self, step: str, event: dict[str, Any]) -> None:
        with self._lock:
            self._report.hear(step, event)
        if "begin" in event:
            self.note(f"-- {event['begin']}")
        for name, why in event.get("record", {}).get("failures", {}).items():
            self.note(f"FAILED {event['end']}: {name}: {why}")
            # The last line of a traceback says what is wrong, and the first of all others.
            *_, last = why.strip().splitlines()
            print(f"FAILED {event['end']}: {name}: {last}", flush=True)

    def _tell(self, step: str) -> None:
        found = self._report.steps[step]
        failed = sum(bool(record["failures"]) for record in found["items"].values())
        told = {
            "done": len(found["items"]) - failed,
            "failed": failed,
            "left out": len(found["left_out"]),
            "seconds": found["seconds"],
            "ended": found["ended"],
        }
        self.say(f"== {step}: {json.dumps(told)}")


if __name__ == "__main__":
    sys.exit(main())
