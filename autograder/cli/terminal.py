"""What the command line draws with rich: tables, progress, a student's own check.

Everything that comes from a student is cleaned and shown as text, never as markup.
"""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ..bugs import BUGS
from ..model import Json, LoadReport, Program, Result, Status
from ..results import files as kept
from ..results.people import called
from ..text import clean, points

if TYPE_CHECKING:
    from ..grading.batch import Batch
    from ..grading.doctor import Finding
    from ..grading.recalibrate import Calibrated
    from ..grading.status import Report
    from ..results.totals import Rows
    from ..watch.findings.strip import Row
    from ..watch.watcher import Watched

_MARK = {
    Status.PASSED: ("✓", "green"),
    Status.PARTIAL: ("◐", "yellow"),
    Status.NOT_CHECKED: ("○", "dim"),
    Status.BY_HAND: ("✎", "dim"),
    Status.DEFERRED: ("…", "dim"),
    Status.UNGRADABLE: ("!", "magenta"),
}
NARROW = 100
COLUMNS_FIT = 72
"""Columns of a terminal from which a table of grades fits."""
GONE_SHOWN = 20
PACED = 20
"""As many results tell how fast it goes."""


def _console() -> Console:
    """Stdout; on a pipe wide enough that no row is broken, and without colour."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else 160)


def chosen(sandbox: str) -> None:
    """One line on stderr: what `--sandbox auto` came to."""
    print(f"sandbox: {sandbox}, the strongest that works on this machine", file=sys.stderr)


def workers(threads: Mapping[str, int], sandbox: str) -> None:
    """One line on stderr: what a cluster has to offer."""
    several = f"{len(threads)} worker{'s' * (len(threads) != 1)}"
    many = sum(threads.values())
    print(f"cluster: {several} with {many} threads, boxes by {sandbox}", file=sys.stderr)


def calibrated(made: Calibrated) -> None:
    """What `calibrate` measured: the reference, its threshold, and a table of other programs."""
    from ..checks.accuracy import CONFIDENCE, MARGIN, SHARE_ABOVE, luck
    from ..grading.recalibrate import QUANTILES

    a, console = made.found.accuracies, _console()
    print("accuracies: " + ", ".join(f"{x:.4f}" for x in a))
    print(f"mean {made.mean:.4f}, sample deviation {made.deviation:.4f}")
    print(
        "quantiles: "
        + ", ".join(f"{q:g}: {x:.4f}" for q, x in zip(QUANTILES, made.quantiles, strict=True))
    )
    print(
        f"luck takes {luck(a):.4f} off the mean ({SHARE_ABOVE:.1%} of all runs are above, with a "
        f"confidence of {CONFIDENCE:.0%}), what the handout leaves open {MARGIN:.4f}"
    )
    print(f"full marks from {made.found.threshold:.4f}, no marks below {made.found.floor:.4f}")
    if made.rows:
        table = Table(box=None, pad_edge=False)
        for column in ("program", "", "lowest", "mean", "highest", "named by"):
            table.add_column(column)
        for row in made.rows:
            n = row.numbers
            shown = [f"{x:.4f}" for x in (min(n), sum(n) / len(n), max(n))] if n else ["-"] * 3
            table.add_row(row.name, row.kind, *shown, row.by if row.kind == "wrong" else "")
        console.print(table)
    print(f"{made.path}: {made.key}")


def refused_workers(reasons: Mapping[str, str]) -> None:
    """A line on stderr for each worker that came later and was not fit."""
    for worker, why in sorted(reasons.items()):
        print(f"worker {clean(worker)} was not used: {clean(why)}", file=sys.stderr)


@contextmanager
def progress(total: int) -> Iterator[Callable[[int, int, Result], None] | None]:
    """A progress bar on stderr while a class is graded; nothing where that is no terminal."""
    if not sys.stderr.isatty() or not total:
        yield None
        return
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
    )

    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[pace]}"),
        TextColumn("{task.fields[who]}"),
    )
    console = Console(stderr=True, highlight=False)
    pace = Pace()
    with Progress(*columns, console=console, transient=True) as bars:
        task = bars.add_task("grade", total=total, pace="", who="starting the sandbox")

        def tick(done: int, of: int, result: Result) -> None:
            # The column renders markup: a name must not be able to.
            who = clean(result.student).replace("[", "(")
            told = pace.told(result, of - done)
            bars.update(task, completed=done, total=of, pace=told, who=who)

        yield tick


class Pace:
    """How fast a class is graded, what is left, and how it went so far, in words."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.times: deque[float] = deque([clock()], PACED + 1)
        self.tally = dict.fromkeys(("full", "some", "none", "ungradable"), 0)

    def told(self, result: Result, left: int) -> str:
        """The words after one more result, with `left` still to come: by the newest `PACED` of
        them, since what had been graded before comes all at once.
        """
        self.times.append(self.clock())
        kind = "some"
        if result.status != "graded":
            kind = "ungradable"
        elif result.score >= result.max_score:
            kind = "full"
        elif result.score <= 0:
            kind = "none"
        self.tally[kind] += 1
        words = [f"{n} {kind}" for kind, n in self.tally.items() if n]
        seconds = self.times[-1] - self.times[0]
        if seconds > 0:
            rate = (len(self.times) - 1) / seconds
            words.insert(0, f"{60 * rate:.3g} a minute")
            if left:
                minutes, rest = divmod(round(left / rate), 60)
                words.insert(1, f"{minutes}:{rest:02} left")
        return ", ".join(words)


def table(results: Sequence[Result]) -> None:
    """Student, assignment, score and bugs, one row each; where a row has no room for that, the bugs
    stand on a line of their own.
    """
    console = _console()
    narrow = console.width < COLUMNS_FIT
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
            late = " late" if r.late is not None and r.late.late else ""
            score = Text(f"{points(r.score)} / {points(r.max_score)}{late}", style)
            why = clean(kept.why_zero(r))
            what = Text.assemble(", ".join(r.bugs), "; " * bool(r.bugs and why), (why, "dim"))
        else:
            score = Text("ungradable", "magenta")
            what = Text(clean("; ".join(r.notes)), "dim")
        who = [Text(clean(r.student)), *([Text(r.assignment)] if several else [])]
        if narrow:
            console.print(Text("  ").join([score, *who]))
            if what:
                console.print(Padding(what, (0, 0, 0, 2), expand=False))
        else:
            grid.add_row(*who, score, what)
    if not narrow:
        console.print(grid)


def graded(done: Batch, out: Path, index: Path) -> None:
    """The end of `grade`: the table, what was done, and where to look."""
    table(done.results)
    n = len(done.results)
    again = f", {done.reused} of them before" if done.reused else ""
    print(f"{n} submission{'s' * (n != 1)} in {done.seconds:.0f} s{again}")
    if done.ungradable:
        print(f"{len(done.ungradable)} could not be graded; none of them counts as a zero")
    for r in done.gone[:GONE_SHOWN]:
        whose = f"{clean(r.student)} {r.assignment}".strip()
        where = kept.result_path(out, r.student, r.assignment)
        print(f"{whose}: {kept.GONE}; the row stays, marked as such (to drop it, remove {where})")
    if len(done.gone) > GONE_SHOWN:
        print(f"and {len(done.gone) - GONE_SHOWN} more who are {kept.GONE}")
    if done.again:
        print(f"{done.again} ran once more, alone: a clock had ended while the machine was busy")
    on_the_roster(done.rows)
    if done.interrupted:
        print(f"broken off with {done.waiting} waiting; the same command goes on from here")
    print(f"grades: {out / 'grades.csv'}")
    print(f"report: {index}")


def on_the_roster(rows: Rows) -> None:
    """Who of the roster handed in nothing, by assignment, and what a person has to answer."""
    by_assignment: dict[str, list[str]] = {}
    for r in rows.results:
        if r.status == "missing":
            by_assignment.setdefault(r.assignment, []).append(called(r))
    for assignment, names in by_assignment.items():
        shown = ", ".join(names[:GONE_SHOWN])
        more = f" and {len(names) - GONE_SHOWN} more" if len(names) > GONE_SHOWN else ""
        print(f"{assignment}: {len(names)} on the roster handed in nothing: {shown}{more}")
    questions(rows)


def same_bytes(groups: Sequence[tuple[str, Sequence[str]]]) -> None:
    """Who handed in the same program as others, byte for byte, by assignment."""
    for assignment, names in groups[:GONE_SHOWN]:
        shown = ", ".join(map(clean, names[:GONE_SHOWN]))
        more = f" and {len(names) - GONE_SHOWN} more" if len(names) > GONE_SHOWN else ""
        print(f"{assignment}: the same program, byte for byte, is by {shown}{more}")
    if len(groups) > GONE_SHOWN:
        print(f"and {len(groups) - GONE_SHOWN} more programs that several handed in")


def questions(rows: Rows) -> None:
    """What a person has to answer about a class."""
    lines = [f"{r.assignment}: {clean(r.student)}: {clean(why)}" for r, why in rows.questions]
    lines += [f"{a.assignment}: {clean(a.student)}: {clean(a.lost)}" for a in rows.astray]
    for line in lines[:GONE_SHOWN]:
        print(line)
    if len(lines) > GONE_SHOWN:
        print(f"and {len(lines) - GONE_SHOWN} more questions, which the report tells")


def stands(found: Report) -> None:
    """What `status` says of a folder."""
    for what, said in found.rests_on.items():
        print(f"{what}: {clean(said)}")
    for one in found.assignments:
        print(f"{one.assignment or 'of no known assignment'}: {one.graded} graded")
        for said, names in (
            ("handed in nothing", one.missing),
            ("could not be graded", one.ungradable),
            (f"{_wait(one.by_hand)} for points by hand", one.by_hand),
            (f"{_wait(one.deferred)} for another device", one.deferred),
            (kept.GONE, one.gone),
        ):
            if names:
                shown = ", ".join(map(clean, names[:GONE_SHOWN]))
                more = f" and {len(names) - GONE_SHOWN} more" if len(names) > GONE_SHOWN else ""
                print(f"  {len(names)} {said}: {shown}{more}")
        for kind, lines in (
            ("stale, everybody", one.outdated),
            ("stale", one.stale),
            ("for a person", one.questions),
        ):
            for line in lines[:GONE_SHOWN]:
                print(f"  {kind}: {clean(line)}")
            if len(lines) > GONE_SHOWN:
                print(f"  {kind}: and {len(lines) - GONE_SHOWN} more")
    if found.untouched:
        print(f"nothing graded of: {', '.join(found.untouched)}")


def _wait(names: Sequence[str]) -> str:
    return "waits" if len(names) == 1 else "wait"


def score(r: Result) -> str:
    """A row's score in words: `16 of 20`, `ungradable`."""
    return f"{points(r.score)} of {points(r.max_score)}" if r.scored else r.status


def checked(
    result: Result,
    load: LoadReport,
    program: Program | None = None,
    evidence: Iterable[Mapping[str, Json]] = (),
) -> None:
    """A student's own check: a line for each check, then what to mend first, and what to do next.

    `evidence` is the data of what the probes saw.
    """
    from ..report import student
    from ..report.markdown import strip_text

    console = _console()
    width = min(console.width, NARROW)

    def say(text: str, look: str = "", indent: int = 0) -> None:
        console.print(Padding(Text(text, look), (0, 0, 0, indent), expand=False), width=width)

    file = clean(program.main) if program is not None else "your file"
    if load.data.get("unread") is True and load.errors:
        told = f"✗ {file}: Python cannot read it: {student.shortened(str(load.errors[0]))}"
        console.print(Text(told, "red"), soft_wrap=True)
        say("next: mend that line, and run the same command again")
        return
    for e in load.errors:
        say(f"! while running: {student.shortened(str(e))}", "yellow")
    if result.status != "graded":
        for note in result.notes:
            say(f"! {clean(note)}", "magenta")
        return
    work = student.work(result, student.Seen(load, tuple(evidence), program), None)
    for c in result.checks:
        mark, style = _MARK.get(c.status, ("✗", "red"))
        worth = f"{points(c.score)} / {points(c.max_score)}"
        line = Text.assemble((mark, style), " ", (clean(c.title), "bold"), (f"  {worth}", "dim"))
        console.print(line, width=width)
        if c.status is Status.NOT_CHECKED and c.message:
            say(student.shortened(c.message), "dim", 2)
    if work.mend:
        say("")
        say("Mend this:" if len(work.mend) == 1 else "Mend these, in this order:", "bold")
    taught: set[str] = set()  # what one mistake teaches is said once, however much it costs
    for k, cause in enumerate(work.mend, 1):
        more = f" and {cause.more} more" if cause.more else ""
        say(f"{k}. {cause.title}{more}: wins {student.promise(cause)}", "bold")
        for one in cause.said:
            say(one.text, "", 3)
            for row in one.code.lines if one.code is not None else ():
                say(f"{'>' if row.meant else ' '} {row.number:>4}  {row.text}", "dim", 3)
        if cause.help not in taught:
            say(cause.help, "dim", 3)
        taught.add(cause.help)
    for one in work.also:
        say(f"also seen, and it costs no points: {one.text}", "dim")
    for loop in work.loops:
        if loop.marked:
            right, own = strip_text(loop)
            say("")
            say(f"a right loop: {right}")
            say(f"yours:        {own}")
    total = f"{points(result.score)} of {points(result.max_score)}"
    say("")
    say(f"{total} public points. The hidden checks run when your work is graded.")
    if work.mend:
        say(f"next: mend the first of these in {file}, and run the same command again")
    elif all(c.status is Status.PASSED for c in result.checks):
        say(f"next: hand in {file}")


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


_BEAT_STYLE = {
    "zero": "cyan",
    "forward": "blue",
    "loss": "yellow",
    "backward": "red",
    "step": "green",
}
ROWS_SHOWN = 12


def watched(seen: Watched) -> None:
    """What `watch` saw: the beat strip, then each finding with what it teaches."""
    console = _console()
    width = min(console.width, NARROW)
    ended = {"ran": "ran to its end", "stopped": "was stopped", "raised": "raised"}
    if seen.failed:
        console.print(Text(f"! {clean(seen.file)}: {clean(seen.failed)}", "magenta"), width=width)
        return
    what = (
        f"{ended.get(seen.ended, '')} after {seen.seconds:.1f} s, {_counted(seen.steps, 'update')}"
    )
    console.print(Text.assemble((clean(seen.file), "bold"), f"  {what}"), width=width)
    for e in seen.errors[:3]:
        line = f" (line {e.get('line')})" if e.get("line") else ""
        text = f"! {e.get('type')}{line}: {e.get('message')}"
        console.print(Text(clean(text)[:400], "yellow"), width=width)
    console.print()
    for row in _folded(seen.rows)[:ROWS_SHOWN]:
        console.print(_strip_line(*row))
        for first, last, beats in row[0].steps[:4]:
            label = f"step {first}" if first == last else f"steps {first}-{last}"
            shown = [(f" {clean(b)} ", f"reverse {_BEAT_STYLE.get(b, '')}") for b in beats]
            pieces = [p for s in shown for p in (s, " ")]
            console.print(Text.assemble(f"    {label:<14}", *pieces))
    hidden = len(_folded(seen.rows)) - ROWS_SHOWN
    if hidden > 0:
        console.print(Text(f"  and {hidden} more passes", "dim"))
    console.print()
    for f in seen.findings:
        mark, style = ("✗", "red") if f.kind == "bug" else ("○", "yellow")
        file = f"{clean(f.file)} " if f.file else ""
        at = f"  {file}line {f.line}" if f.line else ""
        at = f"  cell {f.cell + 1}, line {f.line}" if f.cell is not None and f.line else at
        console.print(Text.assemble((mark, style), " ", (f.bug, "bold"), (at, "dim")), width=width)
        for text, look in ((f.message, ""), (BUGS[f.bug].help, "dim")):
            if text:
                body = Padding(Text(clean(text), look), (0, 0, 0, 2), expand=False)
                console.print(body, width=width)
    if seen.doubt:
        console.print(Text(f"! {clean(seen.doubt)}", "magenta"), width=width)
    elif not seen.findings:
        console.print(Text.assemble(("✓", "green"), " nothing wrong was seen"))
    for note in seen.notes:
        console.print(Text(f"  {clean(note)}", "dim"), width=width)
    for fault in seen.faults[:3]:
        console.print(Text(f"! the recorder stumbled: {clean(fault)}", "magenta"), width=width)


def _folded(rows: Sequence[Row]) -> list[tuple[Row, int]]:
    """Rows with how many alike follow each other at the same line (losses apart)."""
    out: list[tuple[Row, int]] = []
    for row in rows:
        kept = next((i for i, (r, _) in enumerate(out) if _alike(r, row)), None)
        if kept is None:
            out.append((row, 1))
        else:
            first, n = out[kept]
            ends = (
                (first.loss or row.loss or (0.0, 0.0))[0],
                (row.loss or first.loss or (0, 0.0))[1],
            )
            out[kept] = (replace(first, loss=ends if first.loss or row.loss else None), n + 1)
    return out


def _alike(a: Row, b: Row) -> bool:
    def beats(row: Row) -> list[tuple[str, ...]]:
        return sorted({s[2] for s in row.steps})

    return (a.kind, a.file, a.line, a.mode, a.graph, beats(a)) == (
        b.kind,
        b.file,
        b.line,
        b.mode,
        b.graph,
        beats(b),
    )


def _strip_line(row: Row, times: int) -> Text:
    again = f" x {times}" if times > 1 else ""
    loss = f"  loss {row.loss[0]:.4g} to {row.loss[1]:.4g}" if row.loss else ""
    state = f"  {row.mode} mode, {'with a graph' if row.graph else 'no graph'}"
    file = f"{clean(row.file)} " if row.file else ""
    where = f"  {file}line {row.line}" if row.line else ""
    batches = f"  {_counted(row.batches, 'batch', 'batches')}"
    return Text.assemble("  ", (row.kind, "bold"), again, batches, loss, (state + where, "dim"))


def _counted(number: int, one: str, many: str = "") -> str:
    """`1 batch`, `2 batches`."""
    return f"{number} {one if number == 1 else many or one + 's'}"
