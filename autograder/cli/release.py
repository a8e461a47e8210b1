"""`autograder release`: sources into what students get, past the release gate; and, after the
deadline, the solutions.
"""

from __future__ import annotations

import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import InputError
from .options import Root, find_course, graded_folder

if TYPE_CHECKING:
    from ..course.config import Course


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
    solutions: Annotated[
        bool, typer.Option("--solutions", help="Write the solutions, for after the deadline.")
    ] = False,
    dest: Annotated[
        Path | None,
        typer.Option("-o", "--out", metavar="DIR", help="Where to.  [build/solutions]"),
    ] = None,
    class_: Annotated[
        Path | None,
        typer.Option("--class", metavar="OUT", help="Tell this class's most frequent bugs."),
    ] = None,
    even_before_due: Annotated[
        bool, typer.Option("--even-before-due", help="While work can still be handed in.")
    ] = False,
    root: Root = None,
) -> None:
    """Compile sources into what students get.

    Nothing is written unless all of it passes the gate: no leak, ids and points that agree, the
    same bytes each time; and, in boxes, full marks for the reference, next to none for the
    untouched release, and the right verdict for every sample submission.

    With --solutions a page of each assignment instead: the reference and two more styles, task by
    task. Nothing in release/ changes.
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
    if solutions:
        if check or quick:
            raise InputError("--solutions goes with neither --check nor --quick")
        _solutions(folder, wanted, dest, class_, even_before_due=even_before_due)
        return
    for option, given in (
        ("-o", dest),
        ("--class", class_),
        ("--even-before-due", even_before_due),
    ):
        if given:
            raise InputError(f"{option} says something about solutions", remedy="add --solutions")
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


def _solutions(
    folder: Path, wanted: list[str], dest: Path | None, out: Path | None, *, even_before_due: bool
) -> None:
    """Write the page of solutions of each of `wanted`, or nothing at all."""
    from ..authoring import solutions as of
    from ..course import config
    from ..report import solutions as report
    from ..results import files, totals

    course = config.course(folder)
    target = dest or folder / "build" / "solutions"
    for taken in ("release", "source", "assignments"):
        if target.resolve().is_relative_to((folder / taken).resolve()):
            raise InputError(
                f"solutions are not written into {taken}/",
                where=target,
                remedy="name another folder",
            )
    if out is not None:
        graded_folder(out)
    if not even_before_due:
        for one in wanted:
            _refuse_before_due(course, one)
    results = () if out is None else totals.rows(out, course).results
    pages = {}
    for one in wanted:
        assignment = config.assignment(folder / "assignments" / one / "assignment.yml")
        found = of.solutions(folder, assignment)
        html = report.page(
            course.course,
            assignment.title,
            found.tasks,
            [(style.name, style.tasks) for style in found.styles],
            None if out is None else report.of_class(results, one),
        )
        pages[target / f"{one}.html"] = html
        of.refuse_hidden(folder, assignment, found, html)
    for path, html in pages.items():
        files.write_whole(path, html)
        typer.echo(f"{path.stem}: {path}")


def _refuse_before_due(course: Course, assignment: str) -> None:
    """Raise `InputError` while anybody, extensions included, has still time to hand in."""
    from ..course.config import instant
    from ..results.lateness import deadline

    due = deadline(course, assignment, course.late.extensions.get(assignment, ()))
    if due is not None and datetime.now(UTC) < instant(due, course.zone):
        raise InputError(
            f"{assignment} is due {due}, and its solutions would be out before",
            remedy="wait until then, or add --even-before-due",
        )
