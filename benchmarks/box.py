"""From nothing to the first line of student code: a warm, sealed box against a cold start.

    python -m benchmarks.box [--boxes 50] [--cold 5]

In one run on one machine, medians of wall time: from `open` to the first line of a script in a
fully sealed box of the warm template (the script prints the machine's monotonic clock, which
boxes share), with the box's end left out and given apart; a plain `python -c "import torch"` in
a bubblewrap of the same mounts; and the same in a podman container where the image exists. Boxes
follow each other after `WORK_S` seconds, which is less than any submission takes: meanwhile the
process of the next one is made.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from autograder.model import Job, Limits, Program
from autograder.sandbox import Bubblewrap

FIRST_LINE = "import time\nprint(time.monotonic_ns())"
COLD = "import torch, time\nprint(time.monotonic_ns())"
IMAGE = "localhost/five-beats-box"
WORK_S = 0.1


def warm(sandbox: Bubblewrap) -> tuple[float, float]:
    """Milliseconds to the first line of a script, and to the end of its box."""
    job = Job(Program("script", "first.py", (FIRST_LINE,)), {}, Limits())
    start = time.monotonic_ns()
    with sandbox.open(job) as box:
        load = box.load()
    end = time.monotonic_ns()
    return (int(load.output) - start) / 1e6, (end - start) / 1e6


def cold(command: list[str]) -> float:
    """Milliseconds to the line after `import torch` of a command that prints the clock there."""
    start = time.monotonic_ns()
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return (int(done.stdout.split()[-1]) - start) / 1e6


def bubblewrap_command() -> list[str]:
    """A cold start in a sealed room of its own; as root, entered as nobody would be too strict
    for an environment below /root, so only the namespaces are compared.
    """
    return [
        *("bwrap", "--unshare-all", "--die-with-parent", "--new-session"),
        *("--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"),  # noqa: S108
        *(sys.executable, "-c", COLD),
    ]


def podman_command() -> list[str] | None:
    """The same in a container of the grader's own image, or None where there is none."""
    options = os.environ.get("FIVE_BEATS_ENGINE_OPTIONS", "").split()
    engine = ["podman", *options]
    try:
        found = subprocess.run([*engine, "image", "exists", IMAGE], check=False)
    except OSError:
        return None
    if found.returncode != 0:
        return None
    limits = ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=4096:4096"]
    sealed = ["--rm", "--network", "none", "--read-only", "--cap-drop", "all", *limits]
    return [*engine, "run", *sealed, IMAGE, "-c", COLD]


def median(measure: Callable[[], float], times: int) -> float:
    """The median of several runs, the first (which fills caches) left out."""
    measure()
    return statistics.median(measure() for _ in range(times))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--boxes", type=int, default=50)
    parser.add_argument("--cold", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as shelf, Bubblewrap(Path(shelf)) as sandbox:
        warm(sandbox)
        both = []
        for _ in range(options.boxes):
            time.sleep(WORK_S)
            both.append(warm(sandbox))
    first, whole = (statistics.median(times) for times in zip(*both, strict=True))
    print(f"warm, sealed: {first:8.1f} ms to the first line, {whole:.1f} ms for a whole box")
    rows: list[tuple[str, list[str]]] = [("cold bubblewrap + import torch", bubblewrap_command())]
    podman = podman_command()
    if podman is not None:
        rows.append(("cold podman + import torch", podman))
    for name, command in rows:
        try:
            took = median(lambda command=command: cold(command), options.cold)  # type: ignore[misc]
        except (subprocess.CalledProcessError, OSError) as e:
            print(f"{name}: could not be run here: {e}")
            continue
        print(f"{name}: {took:8.1f} ms, {took / first:.0f} times as long")
    load = os.getloadavg()[0]
    print(f"load average {load:.1f} on {os.cpu_count()} cores")


if __name__ == "__main__":
    main()
