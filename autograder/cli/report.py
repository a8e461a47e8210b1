"""`autograder report`: the pages and grades.csv, written anew from the results."""

from __future__ import annotations

import typer

from ..errors import InputError
from .options import Out, Root, RosterFile, find_course, graded_folder


def report(out: Out, roster: RosterFile = None, root: Root = None) -> None:
    """Write the report and grades.csv anew."""
    from ..course import config
    from ..report import pages
    from ..results import roster as people
    from ..results import totals
    from .terminal import on_the_roster

    graded_folder(out)
    try:
        course = config.course(find_course(root))
    except InputError:
        if root is not None:
            raise
        course = None  # a report needs no course: only its name and feedback settings
    who = people.chosen(out, roster, None if course is None else course.roster)
    if who is not None:
        people.keep(out, who)
    on_the_roster(totals.settle(out, course))
    typer.echo(f"grades: {out / 'grades.csv'}")
    typer.echo(f"report: {pages.write(out, course)}")
