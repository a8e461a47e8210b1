"""Checks without a box, for tests: each probe in a plain fork of the test's own process.

`outcome_of(assignment, check, source)` is the quickest way to ask "what does this check say
of this code?". The bytes still pass through the wire and the evidence reader.
"""

from __future__ import annotations

import os
import tempfile
import warnings
from pathlib import Path
from typing import Any

import torch
import torch._dynamo  # else the first optimizer imports it anew in every fork

from autograder.checks import Calibration, HiddenData, own
from autograder.checks.judge import World, judge
from autograder.course import config
from autograder.inside import torchvision_compat
from autograder.inside.box import launch, wire
from autograder.inside.box.answer import answer
from autograder.inside.probes import own as own_probes
from autograder.inside.probes.recorder import begin
from autograder.inside.program import Program
from autograder.inside.recorder.light import install
from autograder.model import CheckResult, Evidence, LoadReport, ProbeRequest
from autograder.sandbox.evidence import pack_tensors, read_answer

ROOT = Path(__file__).resolve().parent.parent
SEED = int(os.environ.get("FIVE_BEATS_TEST_SEED", launch.SEED))
"""What programs draw from here; another one shows what a verdict owes to luck."""


class ForkedRun:
    """Answers requests about one program, each in a fork that loads it anew."""

    def __init__(self, kind: str, main: str, cells: list[str], data: Path | None = None) -> None:
        self.kind, self.main, self.cells, self.data = kind, main, cells, data
        self.probes = ""

    def ask(self, request: ProbeRequest) -> Evidence:
        read, write = os.pipe()
        with tempfile.TemporaryDirectory() as home:
            pid = os.fork()
            if pid == 0:
                try:
                    warnings.resetwarnings()  # a box makes no errors of warnings
                    os.chdir(home)
                    if self.data is not None:
                        os.symlink(self.data, "data")
                    launch.reseed(SEED)
                    torch.set_num_threads(1)
                    torchvision_compat.declare()
                    null = os.open(os.devnull, os.O_RDWR)
                    for fd in (0, 1, 2):
                        os.dup2(null, fd)
                    own_probes.TEXT.keep(self.probes)
                    program = Program(self.kind, self.main, list(self.cells))
                    if request.start == "loaded":
                        recorder, end = install(program), begin(program)
                        program.load()
                        told = {"recorder": recorder.report(), "trained": end()}
                        program.report = {**program.report, **told}
                    order = {"probe": request.probe, "args": dict(request.args)}
                    header, blob = answer(program, order, pack_tensors(dict(request.tensors)))
                    wire.write(write, wire.pack(header, blob))
                finally:
                    os._exit(0)
            os.close(write)
            try:
                got = wire.read(read, wire.EVIDENCE_CAP)
            finally:
                os.close(read)
                os.waitpid(pid, 0)
        if got is None:
            return Evidence("crash", detail="the process ended without an answer")
        n, _ = wire.HEAD.unpack_from(wire.pack(*got))
        return read_answer(wire.pack(*got)[wire.HEAD.size :][:n], got[1])


def own_module(assignment_id: str, name: str) -> Any:
    """A module of an assignment's own folder."""
    return own.imported(ROOT / "assignments" / assignment_id, name)


def judge_program(
    assignment: config.Assignment,
    run: ForkedRun,
    checks: list[str] | None = None,
    hidden: HiddenData | None = None,
    calibration: Calibration | None = None,
) -> dict[str, CheckResult]:
    """The results of `checks` (all by default, without their `needs`) by check id."""
    kept = tuple(
        c.model_copy(update={"needs": ()})
        for c in assignment.checks
        if checks is None or c.id in checks
    )
    world = World(assignment.model_copy(update={"checks": kept}), hidden, calibration)
    cache: dict[str, Evidence] = {}
    run.probes = own.probes(assignment)

    def ask(request: ProbeRequest) -> Evidence:
        if request.digest not in cache:
            cache[request.digest] = run.ask(request)
        return cache[request.digest]

    return {r.id: r for r in judge(world, LoadReport("done"), ask)}


def outcome_of(
    assignment_id: str, check_id: str, source: str, data: Path | None = None
) -> CheckResult:
    """What one check of an assignment says of a script."""
    assignment = config.assignment(ROOT / "assignments" / assignment_id / "assignment.yml")
    run = ForkedRun("script", f"{assignment.module}.py", [source], data)
    return judge_program(assignment, run, [check_id])[check_id]


__all__ = ["ForkedRun", "judge_program", "outcome_of", "own_module"]
