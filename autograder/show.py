"""What the command line draws with rich: tables, progress, a student's own check.

Everything that comes from a student is cleaned and shown as text, never as markup.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from .model import LoadReport, Result, Status
from .text import clean, points

if TYPE_CHECKING:
    from .batch import Batch
    from .doctor import Finding

_MARK = {
    Status.PASSED: ("✓", "green"),
    Status.PARTIAL: ("◐", "yellow"),
    Status.NOT_CHECKED: ("○", "dim"),
    Status.DEFERRED: ("…", "dim"),
    Status.UNGRADABLE: ("!", "magenta"),
}
NARROW = 100


def _console() -> Console:
    """Stdout; on a pipe wide enough that no row is broken, and without colour."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else 160)


@contextmanager
def progress(total: int) -> Iterator[Callable[[int, int, Result], None] | None]:
    """A progress bar on stderr while a class is graded; nothing where that is no terminal."""
    if not sys.stderr.isatty() or not total:
        yield None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[who]}"),
    )
    console = Console(stderr=True, highlight=False)
    with Progress(*columns, console=console, transient=True) as bars:
        task = bars.add_task("grade", total=total, who="starting the sandbox")

        def tick(done: int, of: int, result: Result) -> None:
            # The column renders markup: a name must not be able to.
            bars.update(task, completed=done, total=of, who=clean(result.student).replace("[", "("))

        yield tick


def table(results: Sequence[Result]) -> None:
    """Student, assignment, score and bugs, one row each."""
    grid = Table(box=None, pad_edge=False, header_style="bold")
    several = len({r.assignment for r in results}) > 1
    grid.add_column("student", overflow="fold")
    if several:
        grid.add_column("assignment")
    grid.add_column("score", justify="right", no_wrap=True)
    grid.add_column("bugs", overflow="fold")
    for r in results:
        if r.status == "graded":
            style = "green" if r.score >= r.max_score else "red" if r.score <= 0 else ""
            score = Text(f"{points(r.score)} / {points(r.max_score)}", style)
            what = Text(", ".join(r.bugs))
        else:
            score = Text("ungradable", "magenta")
            what = Text(clean("; ".join(r.notes)), "dim")
        row = [Text(clean(r.student)), *([Text(r.assignment)] if several else []), score, what]
        grid.add_row(*row)
    _console().print(grid)


def graded(done: Batch, out: Path, index: Path) -> None:
    """The end of `grade`: the table, what was done, and where to look."""
    table(done.results)
    n = len(done.results)
    again = f", {done.reused} of them before" if done.reused else ""
    print(f"{n} submission{'s' * (n != 1)} in {done.seconds:.0f} s{again}")
    if done.ungradable:
        print(f"{len(done.ungradable)} could not be graded; none of them counts as a zero")
    if done.interrupted:
        print(f"broken off with {done.waiting} waiting; the same command goes on from here")
    print(f"grades: {out / 'grades.csv'}")
    print(f"report: {index}")


def checked(result: Result, load: LoadReport) -> None:
    """A student's own check: each check with what was seen and what it teaches."""
    console = _console()
    width = min(console.width, NARROW)
    for e in load.errors:
        console.print(Text(f"! while running: {clean(str(e))}", "yellow"), width=width)
    if result.status != "graded":
        for note in result.notes:
            console.print(Text(f"! {clean(note)}", "magenta"), width=width)
        return
    for c in result.checks:
        mark, style = _MARK.get(c.status, ("✗", "red"))
        worth = f"{points(c.score)} / {points(c.max_score)}"
        line = Text.assemble((mark, style), " ", (clean(c.title), "bold"), (f"  {worth}", "dim"))
        console.print(line, width=width)
        if c.status is Status.PASSED:
            continue
        for text, look in ((c.message, ""), (c.help, "dim")):
            if text:
                console.print(
                    Padding(Text(clean(text), look), (0, 0, 0, 2), expand=False), width=width
                )
    total = f"{points(result.score)} of {points(result.max_score)}"
    console.print()
    console.print(
        Text(f"{total} public points. The hidden checks run when your work is graded."),
        width=width,
    )


def findings(found: Sequence[Finding]) -> None:
    """What the doctor saw, with a remedy below each thing that is missing."""
    console = _console()
    for f in found:
        mark, style = ("✓", "green") if f.ok else ("✗", "red") if f.needed else ("○", "yellow")
        console.print(Text.assemble((mark, style), " ", (f.name, "bold"), f"  {clean(f.found)}"))
        if not f.ok and f.remedy:
            console.print(
                Padding(Text(f"remedy: {clean(f.remedy)}", "dim"), (0, 0, 0, 2), expand=False)
            )
