"""`autograder release`: sources into what students get, past the release gate."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from ..errors import InputError
from .options import Root, find_course


def release(
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="[ID]...", help="Assignments.  [default: all]")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; fail if release/ is stale.")
    ] = False,
    quick: Annotated[
        bool, typer.Option("--quick", help="Leave out the rules of the gate that run code.")
    ] = False,
    jobs: Annotated[
        int, typer.Option(min=1, max=256, help="Runs at a time.", show_default="one a core")
    ] = os.cpu_count() or 1,
    root: Root = None,
) -> None:
    """Compile sources into what students get.

    Nothing is written unless all of it passes the gate: no leak, ids and points that agree, the
    same bytes each time; and, in boxes, full marks for the reference, next to none for the
    untouched release, and the right verdict for every sample submission.
    """
    from ..authoring import build as compiler
    from ..checks.judge import validate
    from ..course import config

    folder = find_course(root)
    known = config.course(folder).assignments
    for one in ids or ():
        if one not in known:
            raise InputError(
                f"there is no assignment '{one}'", remedy=f"one of: {', '.join(known)}"
            )
    wanted = list(ids or known)
    if not check:
        _pass_the_gate(folder, wanted, jobs, quick=quick)
    stale = False
    for one in wanted:
        source, target = folder / "source" / one, folder / "release" / one
        settings = folder / "assignments" / one / "assignment.yml"
        assignment = config.assignment(settings)
        if check:
            validate(assignment, settings)
            differs = compiler.check(source, assignment, target)
            typer.echo(f"{one}: {'stale: ' + ', '.join(differs) if differs else 'fresh'}")
            stale = stale or bool(differs)
        else:
            compiler.build(source, assignment, target)
            typer.echo(f"{one}: {target}")
    if stale:
        print("autograder: release/ is stale (run: autograder release)", file=sys.stderr)
        raise typer.Exit(1)


def _pass_the_gate(folder: Path, wanted: list[str], jobs: int, *, quick: bool) -> None:
    """End with a line on stderr for each rule that is broken."""
    from ..authoring import gate
    from ..grading.grader import Grader
    from .terminal import progress

    failures = [f for one in wanted for f in gate.quick(folder, one)]
    if not failures and not quick:
        with Grader(folder) as grader:
            for one in wanted:
                runs = gate.runs(folder, one)
                print(f"{one}: gate: {runs} runs in boxes", file=sys.stderr)
                start = time.monotonic()
                with progress(runs) as tick:
                    broken = gate.in_boxes(grader, folder, one, jobs, tick)
                failures += broken
                said = f"{len(broken)} of them not right" if broken else "all of them right"
                print(f"{one}: gate: {said}, {time.monotonic() - start:.0f} s", file=sys.stderr)
    for failure in failures:
        print(f"autograder: {failure}", file=sys.stderr)
    if failures:
        raise typer.Exit(1)
