"""What grading costs beside the student's own compute.

    python -m benchmarks.overhead [-a 05-five-beats] [--class 40] [--cold 3] [--data DIR]

In one run on one machine: CPU seconds of grading a class of N copies-in-kind of the
reference (template, boxes, probes, judge; everything this process and its children used)
over N, against the CPU seconds of one cold `python script.py` of the same script on the same
prepared data, if it reads any. Every submission has a different digest and is really run.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from autograder.authoring.master import reference
from autograder.grading.grader import Grader
from autograder.model import Program, Submission

ROOT = Path(__file__).resolve().parent.parent


def adopt() -> None:
    """Become the parent of orphaned descendants: bubblewrap does not wait for the first process
    of its namespace, and the CPU time of a child that nobody waits for is lost.
    """
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER


def cpu_s() -> float:
    """CPU seconds of this process and of every child that has ended."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, 0)[0]:
            continue
    own, children = (
        resource.getrusage(w) for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def cold(
    text: str,
    main: str,
    data: Path | None,
    beside: Mapping[str, bytes] = MappingProxyType({}),
) -> float:
    """CPU seconds of one cold run of the script, one thread, as a student would start it; `data`:
    the prepared images, None for an assignment that reads none. `beside` are the files given.
    """
    with tempfile.TemporaryDirectory() as home:
        for name, raw in beside.items():
            path = Path(home, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(raw)
        Path(home, main).write_text(text)
        if data is not None:
            os.symlink(data, Path(home, "data"))
        before = cpu_s()
        subprocess.run(
            [sys.executable, main],
            cwd=home,
            check=True,
            stdout=subprocess.DEVNULL,
            env={
                **os.environ,
                "OMP_NUM_THREADS": "1",
                "MPLBACKEND": "Agg",
            },
        )
        return cpu_s() - before


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-a", "--assignment", default="05-five-beats")
    parser.add_argument("--class", dest="size", type=int, default=40)
    parser.add_argument("--cold", type=int, default=3)
    parser.add_argument("--data", type=Path)
    options = parser.parse_args()
    adopt()
    with Grader(ROOT, data=options.data) as grader:
        assignment = grader.assignment(options.assignment)
        grader.world(assignment.id)  # calibrates at first use, which is not a class's cost
        text = reference(ROOT / "source" / assignment.id, assignment, "script").text
        prepared = grader.prepared(assignment)
        main_file = f"{assignment.module}.py"
    root = None if prepared is None else prepared.root
    runs = [cold(text, main_file, root) for _ in range(options.cold)]
    start, before = time.monotonic(), cpu_s()
    scores = set()
    own = 0.0
    with Grader(ROOT, data=options.data) as grader:
        for i in range(options.size):
            program = Program("script", main_file, (f"{text}\n# copy {i}\n",))
            graded = grader.grade(Submission(f"s{i}", assignment.id, program, {}))
            scores.add((graded.result.status, graded.result.score))
            own += graded.load.usage.cpu_s
    spent = (cpu_s() - before) / options.size
    wall = (time.monotonic() - start) / options.size
    one = statistics.median(runs)
    print(f"assignment                 {assignment.id}, class of {options.size}, {scores}")
    print(f"cold python, CPU s         {one:.3f}   (of {len(runs)}: {[round(r, 2) for r in runs]})")
    print(f"graded, CPU s each         {spent:.3f}   wall {wall:.3f}")
    print(f"  of which the program     {own / options.size:.3f}")
    print(f"ratio, all included        {spent / one:.3f}")
    print(f"ratio, the grader's part   {(spent - own / options.size) / one:.3f}")


if __name__ == "__main__":
    main()
