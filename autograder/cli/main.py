"""The command line: each verb is a few lines that call the module which does the work.

Exit status: 0 all graded, 1 some ungradable (or the machine cannot), 2 wrong use, 128 and the
number of the signal that broke it off (130 for Ctrl-C). An error is one line on stderr: what,
where, remedy. Results go to stdout, progress to stderr and only on a terminal.

Nothing heavy is imported at module level, so that `autograder --help` answers at once:
torch, numpy, pydantic, jinja2 and rich come in with the verb that needs them.
"""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import FiveBeatsError, InputError, Stopped
from . import check, export, image, release, watch
from . import new as cli_new
from .options import Data, Out, Root, find_course, graded_folder

if TYPE_CHECKING:
    from ..grading.grader import Grader
    from ..intake.collect import Taken
    from ..model import Result
    from ..results.provenance import Provenance, Run

_NO_FAULT_OF_OURS = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.EIO)
"""What a disk that is full, closed or broken says."""

app = typer.Typer(
    name="autograder",
    help="Five Beats: a PyTorch course whose assignments grade themselves.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)

app.add_typer(image.app, name="image")
app.command()(cli_new.new)
app.command()(release.release)
app.command()(watch.watch)
app.command()(check.check)

Device = Annotated[
    str | None,
    typer.Option(metavar="cpu|cuda", help="What student code trains on.  [cpu, or as before]"),
]
SandboxName = Annotated[
    str,
    typer.Option(metavar="NAME", help="auto, bubblewrap, podman, docker, uid, or none."),
]
Unsealed = Annotated[
    bool,
    typer.Option(
        "--i-trust-every-submission",
        help="With --sandbox none: run student code as yourself, protected by nothing.",
    ),
]


@app.command()
def grade(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="PATH", help="A file, a folder of files, a folder per student, or a zip."
        ),
    ],
    out: Annotated[
        Path, typer.Option("-o", "--out", metavar="OUT", help="Where everything is written.")
    ],
    assignment: Annotated[
        str | None, typer.Option("-a", metavar="ID", help="Which assignment; else by file name.")
    ] = None,
    data: Data = None,
    jobs: Annotated[
        int, typer.Option(min=1, max=256, help="Submissions at a time.", show_default="one a core")
    ] = os.cpu_count() or 1,
    sandbox: SandboxName = "auto",
    i_trust_every_submission: Unsealed = False,
    device: Device = None,
    times: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="A CSV of student and submitted_at, for the late policy."
        ),
    ] = None,
    root: Root = None,
) -> None:
    """Grade a class in boxes; repeatable.

    The same command again goes on where it was broken off.
    """
    if device is not None:
        _one_of("--device", device, ("cpu", "cuda"))
    if sandbox == "none" and not i_trust_every_submission:
        what = "--sandbox none runs student code as you, with all you can read and write"
        raise InputError(what, remedy="leave it out, or add --i-trust-every-submission")
    folder = find_course(root)

    from ..grading import batch
    from ..grading.grader import Grader
    from ..intake.collect import take_in
    from ..intake.handout import handouts
    from ..intake.times import timed
    from ..report import pages
    from ..results import provenance
    from .terminal import chosen, graded, progress

    before = provenance.standing(out)
    device = device or before.device or "cpu"
    provenance.same_device(out, before, device)
    with Grader(folder, sandbox, data, device, remembered=before.roots) as grader:
        if sandbox == "auto":
            chosen(grader.sandbox.name)
        known = {i: grader.assignment(i).module for i in grader.ids()}
        zone = grader.course.zone if grader.course is not None else None
        given = handouts(folder, known)
        taken = take_in(paths, assignment, known, given, zone, before.classes)
        found, refused = taken.submissions, taken.refused
        if not found and not refused:
            raise InputError("no submission was found there", where=paths[0])
        if times is not None:
            found, strangers = timed(times, found, zone)
            if strangers:
                typer.echo(f"{times}: no submission is by {', '.join(strangers)}", err=True)
        for remark in _remarks(grader, taken):
            typer.echo(f"grading_config.yml: {remark}", err=True)
        run = _run(grader, taken, assignment, before, named_root=data is not None)
        with progress(len(found) + len(refused)) as tick:
            done = batch.run(
                grader,
                found,
                refused,
                out,
                jobs=jobs,
                environment=grader.environment,
                course=grader.course,
                progress=tick,
                told=run,
            )
        index = pages.write(out, grader.course)
    graded(done, out, index)
    if done.stopped is not None and done.interrupted:
        raise typer.Exit(done.stopped.status)
    raise typer.Exit(1 if done.ungradable else 0)


def _remarks(grader: Grader, taken: Taken) -> list[str]:
    """What in grading_config.yml is hardly meant so, as far as a grading can tell."""
    from ..course.config import did_you_mean

    course = grader.course
    if course is None:
        return []
    known = grader.ids()
    told = [
        f"lists '{name}', which has no assignments/{name}/assignment.yml"
        for name in course.assignments
        if name not in known
    ]
    if course.floating:
        times = f"{len(course.floating)} times state no offset and count as UTC's"
        told.append(f"{times} (say timezone: Europe/Berlin, or which it is)")
    people: dict[str, set[str]] = {}
    for s in taken.submissions:
        names = [s.student, s.origin.get("user", ""), *s.origin.get("emails", [])]
        people.setdefault(s.assignment, set()).update(map(str, names))
    for r in taken.refused:
        people.setdefault(r.assignment, set()).update((r.student, str(r.origin.get("user", ""))))
    for name, granted in course.late.extensions.items():
        if taken.classes and name in people:
            for student in sorted(granted.keys() - people[name]):
                near = did_you_mean(student, people[name])
                told.append(f"late.extensions of {name} names '{student}', who is not there{near}")
    return told


def _run(
    grader: Grader,
    taken: Taken,
    assignment: str | None,
    before: Provenance,
    *,
    named_root: bool,
) -> Run:
    """What OUT is to remember of a run; says on stderr which images are taken because of it."""
    from ..results import provenance

    spoken = {a for _, a in taken.homes} | ({assignment} if assignment else set())
    data: dict[str, provenance.Images] = {}
    graded = {}
    for name in sorted(spoken):
        homes = [(s, place) for (s, a), place in taken.homes.items() if a == name]
        rules = None
        if name:
            spec = grader.assignment(name)
            rules = provenance.Rules.of(spec, grader.limits(spec))
            if spec.data is not None:
                data |= provenance.images(spec.data.dataset, grader.prepared(spec))
        graded[name] = provenance.Graded(rules, provenance.places(homes), taken.classes)
    for dataset, images in data.items():
        if not named_root and dataset in before.data and grader.unasked(dataset) != images.root:
            typer.echo(f"images: {images.root} for {dataset}, as in earlier gradings", err=True)
    record = provenance.Provenance(grader.device, data, graded)
    return provenance.Run(record, bool(taken.classes), named_root)


@app.command()
def regrade(out: Out, data: Data = None, root: Root = None) -> None:
    """Judge again from kept evidence.

    No line of any student's code is run.
    """
    folder = find_course(root)
    graded_folder(out)

    from ..grading import regrade as again
    from ..grading.grader import Grader
    from ..report import pages
    from ..results import provenance

    roots = provenance.read(out).roots
    with again.Judges(
        lambda device: Grader(folder, "auto", data, device, remembered=roots)
    ) as judges:
        done = again.run(judges, out)
        index = pages.write(out, judges.course)
    for before, after in done.changed:
        old, new = (
            f"{r.score:g}" if r.status == "graded" else "ungradable" for r in (before, after)
        )
        typer.echo(f"{_plain(after)}: {old} -> {new} of {after.max_score:g}")
    typer.echo(f"{done.judged} judged again, {len(done.changed)} changed")
    for result, why in done.left:
        typer.echo(f"left as it was: {_plain(result)}: {why}")
    typer.echo(f"report: {index}")
    raise typer.Exit(1 if done.ungradable else 0)


def _plain(result: Result) -> str:
    from ..text import clean

    return f"{clean(result.student)} {result.assignment}".strip()


@app.command()
def report(out: Out, root: Root = None) -> None:
    """Write the report and grades.csv anew."""
    from ..course import config
    from ..report import pages
    from ..results import files, lateness

    graded_folder(out)
    try:
        course = config.course(find_course(root))
    except InputError:
        if root is not None:
            raise
        course = None  # a report needs no course: only its name and feedback settings
    files.write_table(out / "grades.csv", lateness.settle(out, course))
    typer.echo(f"grades: {out / 'grades.csv'}")
    typer.echo(f"report: {pages.write(out, course)}")


app.command()(export.export)
app.command()(export.package)


@app.command()
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
    _one_of("--device", device, ("cpu", "cuda"))
    with Grader(find_course(root), sandbox, data, device) as grader:
        path, key, found = recalibrate(grader, assignment, seeds)
    typer.echo("accuracies: " + ", ".join(f"{a:.4f}" for a in found.accuracies))
    typer.echo(f"full marks from {found.threshold:.4f}, no marks below {found.floor:.4f}")
    typer.echo(f"{path}: {key}")


@app.command()
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
    root: Root = None,
) -> None:
    """Say what this machine can do.

    Tries each thing, and gives a remedy for what is missing.
    """
    from ..grading import doctor as ward
    from .terminal import findings

    try:
        course = find_course(root)
    except InputError:
        if root is not None:
            raise
        course = None
    found = ward.examine(course)
    if as_json:
        typer.echo(ward.as_json(found))
    else:
        findings(found)
    raise typer.Exit(0 if ward.able(found) else 1)


def _one_of(option: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise InputError(f"{option} '{value}' is not known", remedy=f"use {' or '.join(allowed)}")


def _stop(number: int, frame: object) -> None:
    raise Stopped(number)


def main() -> None:
    """The entry point of the command."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as `nohup` asks for
            signal.signal(number, _stop)
    try:
        app()
    except FiveBeatsError as e:
        print(f"autograder: {e}", file=sys.stderr)
        sys.exit(2 if isinstance(e, InputError) else 1)
    except (Stopped, KeyboardInterrupt) as e:
        # Perhaps the second: threads may still wait for their boxes, which die with us.
        status = e.status if isinstance(e, Stopped) else Stopped().status
        told = "broken off; the same command goes on from here, and runs nothing a second time"
        with contextlib.suppress(OSError):  # the terminal may be gone
            print(f"autograder: {told}", file=sys.stderr, flush=True)
        os._exit(status)
    except BrokenPipeError:  # `autograder … | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as e:
        if e.errno not in _NO_FAULT_OF_OURS:
            raise
        print(f"autograder: {e.filename or 'a file'}: {e.strerror}", file=sys.stderr)
        sys.exit(1)
