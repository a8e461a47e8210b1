"""`autograder similar`: work of a class that is nearly the same, side by side for a person."""

from __future__ import annotations

from typing import Annotated

import typer

from .options import Out, Root, find_course, graded_folder


def similar(
    out: Out,
    assignment: Annotated[
        str | None, typer.Option("-a", metavar="ID", help="Only this assignment.")
    ] = None,
    root: Root = None,
) -> None:
    """List work that is nearly the same.

    By structure: other names, comments and another order of functions hide nothing. It changes
    no score.
    """
    graded_folder(out)
    folder = find_course(root, out)

    from ..grading import similar as likeness
    from ..text import clean

    for found in likeness.examine(out, folder, assignment):
        n = len(found.pairs)
        typer.echo(f"{found.assignment}: {n} pair{'s' * (n != 1)} alike of {found.works} works")
        for pair in found.pairs[:20]:
            typer.echo(f"  {' and '.join(map(clean, pair.names))}: {100 * pair.likeness:.0f} %")
        if n > 20:
            typer.echo(f"  and {n - 20} more")
        typer.echo(f"  {found.page} and .csv")
