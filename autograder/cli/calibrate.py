"""`autograder calibrate`: how well the reference does on these images, from several seeds."""

from __future__ import annotations

from typing import Annotated

import typer

from .options import Data, Device, Root, SandboxName, find_course, one_of


def calibrate(
    assignment: Annotated[str, typer.Argument(metavar="ID", help="The assignment.")],
    seeds: Annotated[int, typer.Option(min=2, max=100, help="Runs of the reference.")] = 5,
    data: Data = None,
    sandbox: SandboxName = "auto",
    device: Device = None,
    root: Root = None,
) -> None:
    """Measure the reference; set thresholds.

    Trains the reference solution from several seeds and commits its accuracies, from whose
    spread the threshold of full marks follows.
    """
    from ..grading.grader import Grader
    from ..grading.recalibrate import recalibrate

    device = device or "cpu"
    one_of("--device", device, ("cpu", "cuda"))
    with Grader(find_course(root), sandbox, data, device) as grader:
        path, key, found = recalibrate(grader, assignment, seeds)
    typer.echo("accuracies: " + ", ".join(f"{a:.4f}" for a in found.accuracies))
    typer.echo(f"full marks from {found.threshold:.4f}, no marks below {found.floor:.4f}")
    typer.echo(f"{path}: {key}")
