"""`autograder report`: the pages and grades.csv, written anew from the results."""

from __future__ import annotations

import typer

from .options import Out, Root, RosterFile, graded_folder, optional_course


def report(out: Out, roster: RosterFile = None, root: Root = None) -> None:
    """Write the report and grades.csv anew."""
    from ..report import pages
    from ..results import roster as people
    from ..results import totals
    from .terminal import on_the_roster

    graded_folder(out)
    course = optional_course(root, out)
    who = people.chosen(out, roster, None if course is None else course.roster)
    if who is not None:
        people.keep(out, who)
    on_the_roster(totals.settle(out, course))
    typer.echo(f"grades: {out / 'grades.csv'}")
    typer.echo(f"report: {pages.write(out, course)}")
