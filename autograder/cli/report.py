"""`autograder report`: the pages and grades.csv, written anew from the results."""

from __future__ import annotations

import typer

from ..errors import InputError
from .options import Out, Root, find_course, graded_folder


def report(out: Out, root: Root = None) -> None:
    """Write the report and grades.csv anew."""
    from ..course import config
    from ..report import pages
    from ..results import files, lateness

    graded_folder(out)
    try:
        course = config.course(find_course(root))
    except InputError:
        if root is not None:
            raise
        course = None  # a report needs no course: only its name and feedback settings
    files.write_table(out / "grades.csv", lateness.settle(out, course))
    typer.echo(f"grades: {out / 'grades.csv'}")
    typer.echo(f"report: {pages.write(out, course)}")
