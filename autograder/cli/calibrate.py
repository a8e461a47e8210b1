"""`autograder calibrate`: how well the reference does on these images, from several seeds."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from typing import Annotated

import typer

from .options import Data, Device, Root, SandboxName, find_course, one_of


def calibrate(
    assignment: Annotated[str, typer.Argument(metavar="ID", help="The assignment.")],
    seeds: Annotated[int, typer.Option(min=2, max=1000, help="Runs of the reference.")] = 30,
    others: Annotated[
        int,
        typer.Option(min=0, max=1000, help="Runs of each correct sample and wrong program."),
    ] = 5,
    data: Data = None,
    jobs: Annotated[
        int | None, typer.Option(min=1, max=256, help="Runs at a time.  [one a core]")
    ] = None,
    sandbox: SandboxName = "auto",
    device: Device = None,
    root: Root = None,
) -> None:
    """Measure the reference; set thresholds.

    Trains the reference solution from several seeds and commits its accuracies, from whose
    spread the threshold of full marks follows. Then trains the correct samples and the wrong
    programs of wrong.yml, and says which of them the threshold cannot tell apart.
    """
    from ..grading.grader import Grader
    from ..grading.recalibrate import recalibrate
    from .terminal import calibrated

    device = device or "cpu"
    one_of("--device", device, ("cpu", "cuda"))

    def tell(line: str) -> None:
        if sys.stderr.isatty():
            typer.echo(line, err=True)

    with Grader(find_course(root), sandbox, data, device) as grader:
        made = recalibrate(
            grader,
            assignment,
            seeds,
            others,
            date=datetime.now(UTC).date().isoformat(),
            jobs=jobs or os.cpu_count() or 1,
            tell=tell,
        )
    calibrated(made)
    for warning in made.warnings():
        typer.echo(f"warning: {warning}", err=True)
