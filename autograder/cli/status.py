"""`autograder status`: what in a folder of grades is graded, stale, missing, or waits."""

from __future__ import annotations

from typing import Annotated

import typer

from ..errors import InputError
from .options import Out, Root, Section, find_course, graded_folder


def status(
    out: Out,
    section: Section = None,
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
    root: Root = None,
) -> None:
    """Say how a folder of grades stands.

    What it rests on, and of each assignment how many are graded, who handed in nothing, whose
    grade is stale, and what waits for a person. Nothing is run, nothing is written.
    """
    import json

    from ..grading import status as standing
    from .terminal import stands

    graded_folder(out)
    try:
        course = find_course(root, out)
    except InputError:
        if root is not None:
            raise
        course = None
    found = standing.examine(out, course, section)
    if as_json:
        typer.echo(json.dumps(found.as_json(), indent=2))
    else:
        stands(found)
