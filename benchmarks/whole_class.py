"""What a whole class costs: wall, CPU beyond the students' own runs, memory, regrading, intake.

    python -m benchmarks.whole_class [--submissions 200] [--cold 1] [--files 5000] [--data DIR]

In one run on one machine, on a class of sample submissions of all assignments, drawn evenly and
each another: `autograder grade` with one submission at a time and with two, as processes of their
own; one cold `python script.py` of each assignment's reference, weighed by how many of the class
are of that assignment; `regrade` of what was graded; and the intake of a folder of many files.
What is measured once and kept (thresholds, answers of the reference) is made ready before.

    own run      what the programs themselves used, by the reports of their boxes
    beyond it    all the CPU time that the command and its descendants used, less that
    memory       the command alone (its resident set at most), and with it all its boxes (their
                 proportional shares, so that what forks share counts once), seen twice a second
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from autograder.authoring.master import given_files, reference
from autograder.course import samples
from autograder.grading import regrade
from autograder.grading.environment import versions
from autograder.grading.grader import Grader
from autograder.intake.collect import take_in
from autograder.results import files

from .overhead import ROOT, adopt, cold, cpu_s

LOOK_S = 0.5


@dataclass(frozen=True)
class Run:
    """One grading of the class. Seconds and MiB."""

    wall_s: float
    cpu_s: float
    own_s: float
    command_mb: float
    all_mb: float


def lay_out(target: Path, n: int) -> Counter[str]:
    """A class of `n` samples, drawn evenly by a fixed seed; how many are of which assignment."""
    order = random.Random(0)  # noqa: S311 - which samples, not a secret
    shelves = []
    for folder in sorted(ROOT.glob("assignments/*/submissions")):
        found = samples.folders(folder)
        order.shuffle(found)
        shelves.append(found)
    drawn: list[Path] = []
    while len(drawn) < n and any(shelves):
        drawn += [shelf.pop() for shelf in shelves if shelf]
    for i, sample in enumerate(drawn[:n]):
        shutil.copytree(sample, target / f"student{i:04}" / sample.parent.parent.name)
    return Counter(p.parent.parent.name for p in drawn[:n])


def _children(of: int) -> list[int]:
    """All descendants of a process."""
    found: list[int] = []
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{of}/task").iterdir():
            for child in map(int, (task / "children").read_text().split()):
                found += [child, *_children(child)]
    return found


def _share_mb(process: int) -> float:
    """The memory of a process, of which what it shares counts as its share. 0 where it is gone."""
    with contextlib.suppress(OSError, ValueError):
        for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return float(line.split()[1]) / 1024
    return 0.0


def _peak_mb(process: int) -> float:
    with contextlib.suppress(OSError, ValueError):
        for line in Path(f"/proc/{process}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return float(line.split()[1]) / 1024
    return 0.0


def grade(students: Path, out: Path, jobs: int, data: Path | None) -> Run:
    """Grade the class by the command."""
    command = [sys.executable, "-m", "autograder", "grade", str(students), "-o", str(out)]
    command += ["--jobs", str(jobs), "--root", str(ROOT)]
    command += ["--data", str(data)] if data is not None else []
    before, began = cpu_s(), time.monotonic()
    peaks = [0.0, 0.0]
    over = threading.Event()
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, stdout=said, stderr=said)

        def look() -> None:
            while not over.wait(LOOK_S):
                everyone = [process.pid, *_children(process.pid)]
                peaks[0] = max(peaks[0], _peak_mb(process.pid))
                peaks[1] = max(peaks[1], sum(map(_share_mb, everyone)))

        looking = threading.Thread(target=look)
        looking.start()
        status = process.wait()
        over.set()
        looking.join()
        if status not in (0, 1):
            said.seek(0)
            sys.exit(said.read().decode())
    wall = time.monotonic() - began
    results = files.read_results(out)
    own = sum(float(r.run.get("cpu_s", 0.0)) for r in results)
    return Run(wall, cpu_s() - before, own, *peaks)


def judged_again(out: Path, data: Path | None) -> tuple[int, float, float]:
    """How many are judged again, and the wall and CPU seconds it takes after the start."""
    with regrade.Judges(lambda device: Grader(ROOT, data=data, device=device)) as judges:
        for name in judges.ids():
            judges.grader("cpu").world(name)
        began, before = time.monotonic(), time.process_time()
        done = regrade.run(judges, out)
        return done.judged, time.monotonic() - began, time.process_time() - before


def taken_in(n: int) -> tuple[int, float, float]:
    """The intake of a folder with `n` files: how many, seconds, and the peak of memory in MiB."""
    with Grader(ROOT) as grader, tempfile.TemporaryDirectory() as name:
        modules = {i: grader.assignment(i).module for i in grader.ids()}
        (assignment, module), *_ = modules.items()
        text = reference(ROOT / "source" / assignment, grader.assignment(assignment), "script").text
        for i in range(n):
            Path(name, f"student{i:05}_{module}.py").write_text(f"{text}\n# {i}\n")
        began = time.monotonic()
        taken = take_in([Path(name)], None, modules)
        seconds = time.monotonic() - began
    return (
        len(taken.submissions),
        seconds,
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    )


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--submissions", type=int, default=200)
    parser.add_argument("--cold", type=int, default=1, help="cold runs of each reference")
    parser.add_argument("--files", type=int, default=5000)
    parser.add_argument("--data", type=Path)
    options = parser.parse_args()
    adopt()
    took, seconds, peak = taken_in(options.files)
    colds: dict[str, float] = {}
    loads = [os.getloadavg()[0]]
    with tempfile.TemporaryDirectory(dir="/var/tmp") as name:
        folder = Path(name)
        counts = lay_out(folder / "class", options.submissions)
        with Grader(ROOT, data=options.data) as grader:
            for one in counts:
                spec = grader.assignment(one)
                grader.environment(one)  # measures thresholds at first use
                prepared = grader.prepared(spec)
                source = ROOT / "source" / one
                text, beside = reference(source, spec, "script").text, given_files(source)
                root = None if prepared is None else prepared.root
                name_there = f"{spec.module}.py"
                runs = [cold(text, name_there, root, beside) for _ in range(options.cold)]
                colds[one] = statistics.median(runs)
        grade(folder / "class", folder / "first", 2, options.data)  # asks the references
        shutil.rmtree(folder / "first")
        one_by_one = grade(folder / "class", folder / "one", 1, options.data)
        two = grade(folder / "class", folder / "two", 2, options.data)
        tables = [(folder / out / "grades.csv").read_bytes() for out in ("one", "two")]
        again, wall, cpu = judged_again(folder / "two", options.data)
    loads.append(os.getloadavg()[0])
    n = sum(counts.values())
    each = sum(colds[name] * k for name, k in counts.items()) / n
    print(f"class                        {n} of {len(counts)} assignments, {dict(counts)}")
    print(f"machine                      {os.cpu_count()} cores, torch {versions()['torch']},")
    print(f"                             load {loads[0]:.1f} at first, {loads[1]:.1f} at last")
    print(f"one cold script, CPU s       {each:.3f}   (a reference, weighed by assignment)")
    for title, run in (("1 at a time", one_by_one), ("2 at a time", two)):
        spent, own = run.cpu_s / n, run.own_s / n
        print(f"{title:<28} {run.wall_s:.1f} s wall, {n / run.wall_s:.2f} a second")
        print(f"  CPU s each                 {spent:.3f}, of which own run {own:.3f}")
        print(f"  beyond it, to a cold one   {(spent - own) / each:.3f}")
        print(f"  memory, MiB                {run.command_mb:.0f}, with its boxes {run.all_mb:.0f}")
    print(f"2 at a time over 1           {one_by_one.wall_s / two.wall_s:.2f} times as fast")
    print(f"  the same bytes             {tables[0] == tables[1]}")
    print(f"regrade, after the start     {again / wall:.0f} a second; by CPU {again / cpu:.0f}")
    print(f"intake                       {took} files in {seconds:.1f} s, {peak:.0f} MiB at most")


if __name__ == "__main__":
    main()
