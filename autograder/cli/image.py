"""`autograder image`: the box's container image, for grading with podman or docker."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    help="The container image for --sandbox podman or docker.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Engine = Annotated[str, typer.Option(metavar="podman|docker", help="Which engine builds it.")]
Tag = Annotated[str, typer.Option(metavar="NAME", help="The image's name.")]


@app.callback()
def _image() -> None:
    """Keep `build` a verb of its own, though it is the only one."""


@app.command()
def build(
    engine: Engine = "podman",
    tag: Tag = "five-beats-box",
    base: Annotated[
        str | None,
        typer.Option(metavar="IMAGE", help="What to build on; pin it by digest.  [python slim]"),
    ] = None,
    torch_index: Annotated[
        str | None, typer.Option(metavar="URL", help="Where pip finds torch (CPU builds, say).")
    ] = None,
) -> None:
    """Build the image from this machine's versions, and prove that it trains.

    In a course's folder it holds the modules that the course lists, too.
    """
    from ..course.config import modules_of
    from ..errors import InputError
    from ..sandbox import image

    if engine not in ("podman", "docker"):
        raise InputError(f"--engine '{engine}' is not known", remedy="use podman or docker")
    image.build(engine, tag, base, torch_index, modules_of(Path.cwd()))
    typer.echo(f"{tag}: {image.verify(engine, tag)}")
