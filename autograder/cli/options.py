"""What the verbs of the command line share: their options, and how they find course and grades."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import InputError

if TYPE_CHECKING:
    from ..course.config import Course

CONFIG = "grading_config.yml"

Root = Annotated[
    Path | None,
    typer.Option(
        "--root",
        metavar="DIR",
        help="The course's folder.  [default: the nearest upwards with grading_config.yml]",
    ),
]
Data = Annotated[
    Path | None,
    typer.Option("--data", metavar="DIR", help="A torchvision root: FashionMNIST/raw, MNIST/raw."),
]
Device = Annotated[
    str | None,
    typer.Option(metavar="cpu|cuda", help="What student code trains on.  [cpu, or as before]"),
]
SandboxName = Annotated[
    str,
    typer.Option(metavar="NAME", help="auto, bubblewrap, podman, docker, uid, or none."),
]
RosterFile = Annotated[
    Path | None,
    typer.Option(
        "--roster",
        metavar="FILE",
        help="A CSV: student_id, name, email, section, group.  [the course's, or as before]",
    ),
]
Section = Annotated[
    str | None, typer.Option(metavar="NAME", help="Only this section of the roster.")
]
Out = Annotated[Path, typer.Argument(metavar="OUT", help="The folder that `grade -o` wrote.")]


def find_course(root: Path | None, out: Path | None = None) -> Path:
    """The course's folder: `root`, or the nearest upwards from here that holds the config, or the
    one that `out` was graded from.
    """
    if root is not None:
        if not (root / CONFIG).is_file():
            raise InputError(f"holds no {CONFIG}", where=root, remedy="name the course's folder")
        return root
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / CONFIG).is_file():
            return folder
    if out is not None:
        from ..results import provenance

        remembered = provenance.read(out).course
        if remembered and (Path(remembered) / CONFIG).is_file():
            return Path(remembered)
    raise InputError(
        f"there is no {CONFIG} here or above", remedy="go to the course's folder, or use --root DIR"
    )


def optional_course(root: Path | None, out: Path) -> Course | None:
    """The course, where one was named, is here or is remembered; what only shows grades needs
    none.
    """
    from ..course import config

    try:
        folder = find_course(root, out)
    except InputError:
        if root is not None:
            raise
        return None
    return config.course(folder)


def graded_folder(out: Path) -> None:
    """Raise `InputError` unless `out` is what `grade -o` wrote."""
    if not (out / "results").is_dir():
        raise InputError("holds no results", where=out, remedy="name the folder given to grade -o")


def one_of(option: str, value: str, allowed: Iterable[str]) -> None:
    """Raise `InputError` unless `value` is one that `option` may have."""
    if value not in allowed:
        remedy = f"use one of: {', '.join(sorted(allowed))}"
        raise InputError(f"{option} '{value}' is not known", remedy=remedy)
