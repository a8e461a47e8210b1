"""`autograder package`: graders that run inside other tools.

Each tool is one entry in `PACKAGES`: a function that takes a `Package` and returns the lines to
print. Its module is imported when it is asked for, so that `--help` stays quick and a tool's own
package (otter) is needed only by whoever uses it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import InputError
from .options import Root, find_course, one_of

if TYPE_CHECKING:
    from ..exports.base import Package


def _carried(order: Package) -> dict[str, bytes]:
    """What a grader takes along that has no source to ask, as files of the assignment's folder."""
    from ..grading import expected
    from ..grading.grader import Grader
    from ..grading.recalibrate import carried

    with Grader(order.root) as grader:
        measured = {"calibration.yml": carried(grader, order.assignment)}
        return measured | expected.carried(grader.world(order.assignment))


def _otter(order: Package) -> list[str]:
    from ..exports import otter

    return otter.package(order, _carried(order))


def _gradescope(order: Package) -> list[str]:
    from ..exports import gradescope_zip

    return gradescope_zip.package(order, _carried(order))


PACKAGES: Mapping[str, Callable[[Package], list[str]]] = {
    "gradescope": _gradescope,
    "otter": _otter,
}
"""What graders can be made for: writes what `autograder package ID --for NAME` asks for."""


def package(
    assignment: Annotated[str, typer.Argument(metavar="ID", help="The assignment.")],
    for_: Annotated[str, typer.Option("--for", metavar="TOOL", help="The tool it is for.")],
    dest: Annotated[
        Path | None,
        typer.Option("-o", "--out", metavar="PATH", help="What to write.  [build/TOOL/ID...]"),
    ] = None,
    root: Root = None,
) -> None:
    """Make a grader that runs inside Gradescope or otter."""
    one_of("--for", for_, PACKAGES)

    from ..course import config
    from ..exports.base import Package

    folder = find_course(root)
    known = config.course(folder).assignments
    if assignment not in known:
        raise InputError(
            f"there is no assignment '{assignment}'", remedy=f"one of: {', '.join(known)}"
        )
    for line in PACKAGES[for_](Package(root=folder, assignment=assignment, to=dest)):
        typer.echo(line)
