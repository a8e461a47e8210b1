"""`autograder doctor`: what this machine can do."""

from __future__ import annotations

from typing import Annotated

import typer

from ..errors import InputError
from .options import Root, find_course


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
    root: Root = None,
) -> None:
    """Say what this machine can do.

    Tries each thing, and gives a remedy for what is missing.
    """
    from ..grading import doctor as ward
    from .terminal import findings

    try:
        course = find_course(root)
    except InputError:
        if root is not None:
            raise
        course = None
    found = ward.examine(course)
    if as_json:
        typer.echo(ward.as_json(found))
    else:
        findings(found)
    raise typer.Exit(0 if ward.able(found) else 1)
