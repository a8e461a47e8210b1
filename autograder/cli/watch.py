"""`autograder watch`: any PyTorch script or notebook under the recorder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def watch(
    file: Annotated[Path, typer.Argument(metavar="SCRIPT", help="A script or notebook.")],
    arguments: Annotated[
        list[str] | None, typer.Argument(metavar="[-- ARGS]...", help="The script's own arguments.")
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Serve torchvision's data sets from here.  [default: the built-in digits]",
        ),
    ] = None,
    seconds: Annotated[
        float, typer.Option(min=1, max=86_400, help="End all runs after this time together.")
    ] = 120.0,
    steps: Annotated[
        int | None, typer.Option(min=1, help="End the run after so many optimizer steps.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
    sandbox: Annotated[
        str, typer.Option(metavar="NAME", help="auto, bubblewrap, podman, docker, uid, or none.")
    ] = "auto",
) -> None:
    """Watch any training: its beats, its bugs.

    Runs SCRIPT in a box under the recorder and shows what each step did (zero, forward, loss,
    backward, step) and what is wrong, each with what was observed. Exit status 1 if a bug was
    found, the script raised, or no training was seen.
    """
    import json

    from ..watch.watcher import Watcher
    from .terminal import watched

    with Watcher(sandbox, data) as watcher:
        seen = watcher.watch(file, arguments or (), seconds, steps)
    if as_json:
        typer.echo(json.dumps(seen.as_json(), indent=2))
    else:
        watched(seen)
    raise typer.Exit(0 if seen.clear else 1)
