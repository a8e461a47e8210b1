"""`autograder regrade`: judge again from kept evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from .options import Data, Out, Root, find_course, graded_folder

if TYPE_CHECKING:
    from ..model import Result


def regrade(out: Out, data: Data = None, root: Root = None) -> None:
    """Judge again from kept evidence.

    No line of any student's code is run.
    """
    graded_folder(out)
    folder = find_course(root, out)

    from ..grading import regrade as again
    from ..grading.grader import Grader
    from ..report import pages
    from ..results import provenance
    from ..text import clean
    from .terminal import questions

    roots = provenance.read(out).roots
    with again.Judges(
        lambda device: Grader(folder, "auto", data, device, remembered=roots)
    ) as judges:
        done = again.run(judges, out)
        index = pages.write(out, judges.course)
    whole = [(c, c.before, c.after) for c in done.changed if not c.check]
    for change, before, after in whole:
        if before is not None and after is not None:
            old, new = (r.status if r.score is None else f"{r.score:g}" for r in (before, after))
            whose = f"{clean(change.student)} {change.assignment}".strip()
            typer.echo(f"{whose}: {old} -> {new} of {after.max_score:g}")
    typer.echo(f"{done.judged} judged again, {len(whole)} changed")
    if done.table is not None:
        lines = f"{len(done.changed)} change{'s' * (len(done.changed) != 1)}"
        typer.echo(f"{lines}, check by check: {done.table} and .html")
    for result, why in done.left:
        typer.echo(f"left as it was: {_plain(result)}: {why}")
    questions(done.rows)
    typer.echo(f"report: {index}")
    raise typer.Exit(1 if done.ungradable else 0)


def _plain(result: Result) -> str:
    from ..text import clean

    return f"{clean(result.student)} {result.assignment}".strip()
