"""`autograder new`: a small working assignment to begin with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..errors import InputError
from .options import Root, find_course


def new(
    name: Annotated[str, typer.Argument(metavar="ID", help="Its id, as in 11-first-steps.")],
    kind: Annotated[
        str, typer.Option(metavar="functions|program|script", help="What students write.")
    ] = "functions",
    root: Root = None,
) -> None:
    """Begin an assignment: a small one that works, to be changed.

    Where there is no course here or above, this folder becomes one.
    """
    from ..authoring import scaffold

    try:
        folder = find_course(root)
    except InputError:
        if root is not None and not root.is_dir():
            raise
        folder = root or Path.cwd()
    for path in scaffold.create(folder, name, kind):
        typer.echo(path.relative_to(folder))
    typer.echo(f"next: change it, and run: autograder release {name}")
