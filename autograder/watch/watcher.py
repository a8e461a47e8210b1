"""`autograder watch`: any script or notebook in a box, under the flight recorder.

    script -> Job -> box: record              the run itself
                          accelerated         again, where it speaks of a device
                          first_steps, twice  again, where it seeds something
           -> Log -> findings, beat strip

The box gets what of the files beside the script it needs (`beside`), and a data root. Without one
of the user's own that is the public part of the built-in digits, under the names of MNIST and
Fashion-MNIST alike. All runs together last no longer than the time that was asked for.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ..bugs import BUGS
from ..course.images import cache_folder, showcase
from ..errors import EvidenceError, InputError, SubmissionError
from ..intake.program import is_program, read_program
from ..model import Evidence, Job, Json, Limits, ProbeRequest, Program
from ..sandbox import Box, choose
from .beside import beside
from .findings import Finding, Log, findings
from .findings.strip import Row, as_json, strip

GRACE_S, LEAST_S, AGAIN_S = 30.0, 1.0, 60.0
"""How long after its time a run may take to answer; the least that one more run is worth, and the
most that it gets.
"""
DATA = "data"
"""Where the box has its data root, in the program's folder."""
STEPS_AGAIN, BATCHES_AGAIN, SEEDS = 3, 2, (11, 4711)
"""How far the program is run again, and the outside seeds of the two runs that must agree."""
_DEVICES = re.compile(r"cuda|accelerator|\.to\(|device")


@dataclass(frozen=True)
class Watched:
    """What was seen of one program. `failed` says in one line why nothing was, else it is empty;
    `doubt` why it is no all-clear where no bug was found; `notes` what its surroundings lacked.

    `log` is the record that the findings were made of, None where there is none.
    """

    file: str
    findings: tuple[Finding, ...] = ()
    rows: tuple[Row, ...] = ()
    ended: str = ""
    errors: tuple[Mapping[str, Any], ...] = ()
    steps: int = 0
    seconds: float = 0.0
    faults: tuple[str, ...] = ()
    failed: str = ""
    doubt: str = ""
    notes: tuple[str, ...] = ()
    log: Log | None = field(default=None, repr=False)

    @property
    def clear(self) -> bool:
        """Whether the run was seen, to its end or to that of its time, and nothing is wrong."""
        return not (self.failed or self.doubt or any(f.kind == "bug" for f in self.findings))

    def as_json(self) -> dict[str, Any]:
        """The whole as plain data, with each finding's teaching."""
        return {
            "schema": 1,
            "file": self.file,
            "ended": self.ended,
            "failed": self.failed,
            "doubt": self.doubt,
            "notes": list(self.notes),
            "errors": [dict(e) for e in self.errors],
            "steps": self.steps,
            "seconds": self.seconds,
            "strip": as_json(self.rows),
            "findings": [
                {
                    "bug": f.bug,
                    "kind": f.kind,
                    "message": f.message,
                    "file": f.file or self.file,
                    "line": f.line,
                    "cell": f.cell,
                    "help": BUGS[f.bug].help,
                }
                for f in self.findings
            ],
            "faults": list(self.faults),
        }


class Watcher:
    """Watches programs, each in a box of its own. Thread-safe; close it when done.

    `data` is a folder of torchvision data sets (`MNIST/raw`, …) to serve, None for the digits.
    """

    def __init__(self, sandbox: str = "auto", data: Path | None = None) -> None:
        if data is not None and not data.is_dir():
            raise InputError("is no folder", where=data, remedy="name a torchvision root")
        self.builtin = data is None
        self.root = showcase(cache_folder() / "data") if data is None else data.resolve()
        self.sandbox = choose(sandbox, self.root)

    def watch(
        self,
        path: Path,
        argv: Sequence[str] = (),
        seconds: float = 120.0,
        steps: int | None = None,
    ) -> Watched:
        """Watch one file for at most `seconds` of wall time, all runs together, and `steps`
        optimizer steps.

        Raises `InputError` for a file that cannot be read or is no program, `SandboxError` where
        no box can be made.
        """
        program = _read(path)
        files, folders, notes = self._carried(path, program, argv)
        megabytes = 256
        limits = Limits(
            wall_s=seconds,
            check_s=seconds + GRACE_S,
            cpu_s=4 * seconds + GRACE_S,
            memory_mb=4096,
            file_mb=megabytes,
            output_kb=4096,
        )
        job = Job(program, files, limits, None if self.builtin else self.root)
        args = {"seconds": seconds, "steps": steps, "argv": list(argv), "folders": folders}
        with self.sandbox.open(job) as box:
            deadline = time.monotonic() + seconds
            seen = box.probe(
                ProbeRequest("flight:record", args, start="fresh", check_s=seconds + GRACE_S)
            )
            if seen.status != "done":
                why = _why(seen)
                return Watched(path.name, failed=why, seconds=seen.usage.wall_s, notes=notes)
            try:
                first = Log.of(seen.data)
                log = self._again(box, first, seen, program, args, deadline)
                found, rows = findings(log), strip(log)
            except EvidenceError as e:
                return Watched(path.name, failed=str(e), seconds=seen.usage.wall_s)
        return Watched(
            path.name,
            found,
            rows,
            log.ended,
            tuple(log.errors),
            log.steps,
            seen.usage.wall_s,
            tuple(log.faults),
            doubt=_doubt(log),
            notes=notes,
            log=log,
        )

    def _carried(
        self, path: Path, program: Program, argv: Sequence[str]
    ) -> tuple[dict[str, bytes], list[Json], tuple[str, ...]]:
        """The files that go into the box, the folders to be made there, and what is left out."""
        found = beside(path, program, argv)
        notes = [f"{name}/ holds too much to be carried in, and is empty" for name in found.large]
        files, inside = found.files, f"{DATA}/"
        if self.builtin:
            shown = [p for p in self.root.rglob("*") if p.is_file()]
            served = {f"{inside}{p.relative_to(self.root).as_posix()}": p for p in shown}
            files = files | {name: p.read_bytes() for name, p in served.items()}
        elif any(name.startswith(inside) for name in files):
            files = {n: raw for n, raw in files.items() if not n.startswith(inside)}
            notes.append(f"{inside} beside the program was left out: {self.root} takes its place")
        folders: list[Json] = [f for f in sorted(found.folders) if f != DATA]
        return files, folders, tuple(notes)

    def _again(
        self,
        box: Box,
        log: Log,
        seen: Evidence,
        program: Program,
        args: Mapping[str, Any],
        deadline: float,
    ) -> Log:
        """The record with what shows only under other conditions, as far as the time goes."""

        def ask(probe: str, share: float, **more: Json) -> Mapping[str, Any] | None:
            left = (deadline - time.monotonic()) * share
            if log.ended == "raised" or left < LEAST_S:
                return None
            clock = min(AGAIN_S, left)
            given = {**args, **more, "seconds": clock}
            answer = box.probe(ProbeRequest(probe, given, start="fresh", check_s=clock + LEAST_S))
            return answer.data if answer.status == "done" else None

        accelerated: Mapping[str, Any] | None = None
        seeds: list[Mapping[str, Any]] = []
        if _DEVICES.search(program.text):
            accelerated = ask("flight:accelerated", 0.5, batches=BATCHES_AGAIN)
        if log.sections.get("seeds", {}).get("seeded"):
            for seed, share in zip(SEEDS, (0.5, 1.0), strict=True):
                answer = ask("flight:first_steps", share, steps=STEPS_AGAIN, seed=seed)
                seeds += [answer] if answer is not None else []
        return Log.of(seen.data, accelerated, seeds)

    def close(self) -> None:
        self.sandbox.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _doubt(log: Log) -> str:
    """Why silence about this program is no all-clear; "" where it is one."""
    learnt = any(log.counts.get(kind) for kind in ("backward", "grad", "step"))
    learnt = learnt or any(e["transformed"] for e in log.of_kind("forward"))  # by `torch.func`
    before = "" if learnt else " before anything was trained"
    if log.ended == "raised":
        return f"the program raised{before}, so not all of it was seen"
    if learnt:
        return ""
    calls = int(log.counts.get("forward", 0))
    what = f"models were called {calls} times, and" if calls else "no model was called, and"
    if log.ended == "stopped":
        return f"the program was stopped{before}: {what} nothing was differentiated"
    return f"nothing was trained: {what} nothing was differentiated or updated"


def _why(seen: Evidence) -> str:
    if seen.error is not None:
        return f"{seen.error}"
    return f"{seen.status}: {seen.detail}" if seen.detail else seen.status


def _read(path: Path) -> Program:
    if not is_program(path.name):
        raise InputError("is no script or notebook", where=path, remedy="name a .py or .ipynb file")
    try:
        return read_program(path.name, path.read_bytes())[0]
    except OSError as e:
        raise InputError(f"cannot be read: {e.strerror}", where=path, remedy=None) from e
    except SubmissionError as e:
        raise InputError(str(e)) from e
