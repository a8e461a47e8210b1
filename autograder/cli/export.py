"""`autograder export`: grades out to other tools.

Each tool is one entry in `EXPORTS`: a function that takes an `Export` and returns the lines to
print. Its module is imported when it is asked for, so that `--help` stays quick and a tool's own
package (nbgrader) is needed only by whoever uses it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import InputError
from .options import Out, Root, Section, find_course, graded_folder, one_of

if TYPE_CHECKING:
    from ..exports.base import Export


def _canvas(order: Export) -> list[str]:
    from ..exports import canvas

    return canvas.export(order)


def _gradescope(order: Export) -> list[str]:
    from ..exports import gradescope

    return gradescope.export(order)


def _moodle(order: Export) -> list[str]:
    from ..exports import moodle

    return moodle.export(order)


def _nbgrader(order: Export) -> list[str]:
    from ..exports import nbgrader

    return nbgrader.export(order)


EXPORTS: Mapping[str, Callable[[Export], list[str]]] = {
    "canvas": _canvas,
    "gradescope": _gradescope,
    "moodle": _moodle,
    "nbgrader": _nbgrader,
}
"""Where grades can go: writes what `autograder export OUT --to NAME` asks for."""


WORK = ("gradescope", "nbgrader")
"""The tools that keep grades with the work, and so have no place for one without."""


def export(
    out: Out,
    to: Annotated[str, typer.Option("--to", metavar="TOOL", help="The tool that takes them.")],
    gradebook: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The gradebook or worksheet downloaded from it."),
    ] = None,
    dest: Annotated[
        Path | None,
        typer.Option("-o", "--out", metavar="DIR", help="Where to write.  [OUT/export/TOOL]"),
    ] = None,
    assignment: Annotated[
        str | None, typer.Option("-a", metavar="ID", help="Only this assignment.")
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(metavar="ID=HEADER", help="Which column is whose, where names do not tell."),
    ] = None,
    section: Section = None,
    root: Root = None,
) -> None:
    """Write grades and feedback for Canvas, Moodle and others.

    Nobody without a grade is given one: an ungradable submission leaves its cell as it was. Whoever
    was not found there or has no grade is named, and the exit status is then 1.
    """
    one_of("--to", to, EXPORTS)
    graded_folder(out)

    from ..course import config
    from ..exports.base import Export
    from ..report import pages
    from ..results import files, roster, totals
    from ..text import clean

    folder = find_course(root, out)
    course = config.course(folder)
    rows = totals.rows(out, course)
    if section is not None:
        roster.known_section(rows.roster, section, out)
        rows = rows.in_section(section)
    everyone = [r for r in rows.results if assignment in (None, r.assignment)]
    results = [r for r in everyone if not r.gone]
    if not results:
        raise InputError(
            "holds no result" + (f" of {assignment}" if assignment else ""),
            where=out,
            remedy="grade first",
        )
    open_ones = [] if to == "nbgrader" else [r for r in results if r.by_hand]
    nothing = [r for r in results if r.status == "missing" and (to in WORK or not r.scored)]
    results = [r for r in results if r not in open_ones and r not in nothing]
    order = Export(
        out=out,
        to=dest or out / "export" / to,
        results=tuple(results),
        course=course,
        root=folder,
        page=lambda result: pages.feedback(out, [result], course),
        gradebook=gradebook,
        columns=_columns(column or []),
    )
    for line in EXPORTS[to](order):
        typer.echo(line)
    if open_ones:
        waits = ", ".join(f"{clean(r.student)} ({r.assignment})" for r in open_ones)
        typer.echo(f"a person has still to read, and so left as they were: {waits}")
    if nothing:
        who = ", ".join(f"{clean(r.student)} ({r.assignment})" for r in nothing)
        typer.echo(f"handed in nothing, and so left as they were: {who}")
    for r in everyone:
        if r.gone:
            typer.echo(f"{r.assignment}: {clean(r.student)}: {files.GONE}, and so left out")
        elif not r.assignment:
            typer.echo(order.miss(r, "of no known assignment, and so left out"))
    if order.missed:
        raise typer.Exit(1)


def _columns(stated: list[str]) -> dict[str, str]:
    """`ID=HEADER` as a mapping."""
    pairs = {}
    for one in stated:
        name, equals, header = one.partition("=")
        if not (name and equals and header):
            raise InputError(f"--column '{one}' is no ID=HEADER", remedy="write ID=HEADER")
        pairs[name] = header
    return pairs
