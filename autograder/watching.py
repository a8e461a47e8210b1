"""`autograder watch`: any script or notebook in a box, under the flight recorder.

    script -> Job -> box: record              the run itself
                          accelerated         again, where it speaks of a device
                          first_steps, twice  again, where it seeds something
           -> Log -> findings, beat strip

The box gets the script as a file too, the modules beside it that it imports, the files beside it
that it names, and a data root. Without one of the user's own that is the public part of the
built-in digits, under the names of MNIST and Fashion-MNIST alike.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from .checks.help import HELP
from .data import showcase
from .errors import EvidenceError, InputError, SubmissionError
from .findings import Finding, Log, findings
from .findings.strip import Row, as_json, strip
from .formats.program import is_program, read_program
from .grade import cache_folder
from .model import Evidence, Job, Limits, ProbeRequest, Program
from .sandbox import Box, choose

FILES_CAP, BYTES_CAP = 200, 64 << 20
GRACE_S = 30.0
STEPS_AGAIN, BATCHES_AGAIN, SEEDS = 3, 2, (11, 4711)
"""How far the program is run again, and the outside seeds of the two runs that must agree."""
_FILE = re.compile(r"[\w-][\w./-]{0,200}\.\w{1,8}")
_DEVICES = re.compile(r"cuda|accelerator|\.to\(|device")


@dataclass(frozen=True)
class Watched:
    """What was seen of one program. `failed` says in one line why nothing was, else it is empty.

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
    log: Log | None = field(default=None, repr=False)

    def as_json(self) -> dict[str, Any]:
        """The whole as plain data, with each finding's teaching."""
        return {
            "schema": 1,
            "file": self.file,
            "ended": self.ended,
            "failed": self.failed,
            "errors": [dict(e) for e in self.errors],
            "steps": self.steps,
            "seconds": self.seconds,
            "strip": as_json(self.rows),
            "findings": [
                {
                    "bug": f.bug,
                    "kind": f.kind,
                    "message": f.message,
                    "line": f.line,
                    "cell": f.cell,
                    "help": HELP.get(f.bug, ""),
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
        self.root = showcase(cache_folder() / "data") if data is None else data.resolve()
        self.sandbox = choose(sandbox, self.root)

    def watch(
        self,
        path: Path,
        argv: Sequence[str] = (),
        seconds: float = 120.0,
        steps: int | None = None,
    ) -> Watched:
        """Watch one file for at most `seconds` of wall time and `steps` optimizer steps.

        Raises `InputError` for a file that cannot be read or is no program, `SandboxError` where
        no box can be made.
        """
        program = _read(path)
        megabytes = 256
        limits = Limits(
            wall_s=seconds,
            check_s=seconds + GRACE_S,
            cpu_s=4 * seconds + GRACE_S,
            memory_mb=4096,
            file_mb=megabytes,
            output_kb=4096,
        )
        job = Job(program, _beside(path, program), limits, self.root)
        args = {"seconds": seconds, "steps": steps, "argv": list(argv)}
        with self.sandbox.open(job) as box:
            seen = box.probe(
                ProbeRequest("flight:record", args, start="fresh", check_s=seconds + GRACE_S)
            )
            if seen.status != "done":
                return Watched(path.name, failed=_why(seen), seconds=seen.usage.wall_s)
            try:
                first = Log.of(seen.data)
                log = self._again(box, first, seen, program, args)
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
            log=log,
        )

    def _again(
        self, box: Box, log: Log, seen: Evidence, program: Program, args: Mapping[str, Any]
    ) -> Log:
        """The record with what shows only under other conditions."""
        accelerated: Mapping[str, Any] | None = None
        seeds: list[Mapping[str, Any]] = []
        clock = min(60.0, float(args["seconds"]))
        if log.ended != "raised" and _DEVICES.search(program.text):
            request = ProbeRequest(
                "flight:accelerated",
                {**args, "seconds": clock, "batches": BATCHES_AGAIN},
                start="fresh",
                check_s=clock + GRACE_S,
            )
            answer = box.probe(request)
            accelerated = answer.data if answer.status == "done" else None
        if log.ended != "raised" and log.sections.get("seeds", {}).get("seeded"):
            for seed in SEEDS:
                request = ProbeRequest(
                    "flight:first_steps",
                    {"seconds": clock, "steps": STEPS_AGAIN, "seed": seed, "argv": args["argv"]},
                    start="fresh",
                    check_s=clock + GRACE_S,
                )
                answer = box.probe(request)
                if answer.status == "done":
                    seeds.append(answer.data)
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


def _beside(path: Path, program: Program) -> dict[str, bytes]:
    """The files beside a program that it needs: modules it imports, files it names, in turn."""
    home = path.resolve().parent
    found = {path.name: path.read_bytes()}  # a worker that is spawned reads it from its file
    todo = [program.text]
    while todo and len(found) < FILES_CAP:
        for name in sorted(_mentioned(todo.pop())):
            place = home / name
            if name in found or name == path.name or not place.resolve().is_relative_to(home):
                continue
            if place.is_file() and sum(map(len, found.values())) + place.stat().st_size < BYTES_CAP:
                found[name] = place.read_bytes()
                if name.endswith(".py"):
                    todo.append(found[name].decode("utf-8", "replace"))
    return found


def _mentioned(text: str) -> set[str]:
    """Relative file names that a program's text may mean: of its imports and its strings."""
    try:
        nodes = list(ast.walk(ast.parse(text)))
    except (SyntaxError, ValueError, RecursionError):  # a notebook's magics, or broken code
        return set()
    names: set[str] = set()
    for node in nodes:
        modules: list[str] = []
        if isinstance(node, ast.Import):
            modules = [a.name for a in node.names]
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            modules = [module, *(f"{module}.{a.name}".lstrip(".") for a in node.names)]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            names |= {node.value} if _FILE.fullmatch(node.value) else set()
        for module in filter(None, modules):
            parts = module.split(".")
            names.add("/".join(parts) + ".py")
            names |= {"/".join(parts[: i + 1]) + "/__init__.py" for i in range(len(parts))}
    return names
