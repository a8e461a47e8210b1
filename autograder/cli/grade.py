"""`autograder grade`: a class, from what was handed in to grades.csv and pages."""

from __future__ import annotations

import os
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import InputError
from .options import Data, Device, Root, RosterFile, SandboxName, find_course, one_of

if TYPE_CHECKING:
    from ..grading.cluster import Cluster
    from ..grading.grader import Grader
    from ..intake.collect import Taken
    from ..results.provenance import Provenance, Run
    from ..results.roster import Roster

MOST = 256
"""The most submissions at a time; on a cluster its workers' threads decide, below this."""
Unsealed = Annotated[
    bool,
    typer.Option(
        "--i-trust-every-submission",
        help="With --sandbox none: run student code as yourself, protected by nothing.",
    ),
]


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
        int | None,
        typer.Option(min=1, max=MOST, help="Submissions at a time.  [one a core]"),
    ] = None,
    sandbox: SandboxName = "auto",
    i_trust_every_submission: Unsealed = False,
    cluster: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS", help="Run submissions on the workers of this Dask scheduler."
        ),
    ] = None,
    device: Device = None,
    times: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="A CSV of student and submitted_at, for the late policy."
        ),
    ] = None,
    roster: RosterFile = None,
    root: Root = None,
) -> None:
    """Grade a class in boxes; repeatable.

    The same command again goes on where it was broken off.
    """
    if device is not None:
        one_of("--device", device, ("cpu", "cuda"))
    if sandbox == "none" and not i_trust_every_submission:
        what = "--sandbox none runs student code as you, with all you can read and write"
        raise InputError(what, remedy="leave it out, or add --i-trust-every-submission")
    if sandbox == "none" and cluster is not None:
        raise InputError("--sandbox none protects no worker", remedy="leave out one of the two")
    folder = find_course(root)

    from ..grading import batch
    from ..grading.grader import Grader
    from ..grading.similar import identical
    from ..intake.collect import take_in
    from ..intake.handout import handouts
    from ..intake.times import timed
    from ..report import pages
    from ..results import provenance
    from ..results import roster as people
    from .terminal import chosen, graded, progress, refused_workers, same_bytes

    before = provenance.standing(out)
    device = device or before.device or "cpu"
    provenance.same_device(out, before, device)
    stop = threading.Event()
    with ExitStack() as held:
        boxes = None
        if cluster is not None:
            boxes = held.enter_context(_cluster(cluster, sandbox, device, folder, stop))
        grader = held.enter_context(
            Grader(folder, boxes or sandbox, data, device, remembered=before.roots)
        )
        if boxes is None and sandbox == "auto":
            chosen(grader.sandbox.name)
        configured = grader.course.roster if grader.course is not None else None
        who = people.chosen(out, roster, configured)
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
        for remark in _remarks(grader, taken, who):
            typer.echo(f"grading_config.yml: {remark}", err=True)
        run = _run(grader, taken, assignment, before, named_root=data is not None)
        with progress(len(found) + len(refused)) as tick:
            done = batch.run(
                grader,
                found,
                refused,
                out,
                jobs=jobs or (MOST if boxes is not None else os.cpu_count() or 1),
                environment=grader.environment,
                course=grader.course,
                progress=tick,
                told=run,
                people=who,
                stop=stop,
            )
        for name in sorted({s.assignment for s in found}):
            for what in grader.elsewhere(name):
                remedy = f"run: autograder calibrate {name} --device {grader.device}"
                told = f"{name}: its accuracies were measured elsewhere: {what} ({remedy})"
                typer.echo(told, err=True)
        if boxes is not None:
            refused_workers(boxes.refused)
        index = pages.write(out, grader.course)
    graded(done, out, index)
    same_bytes(identical(found, done.rows))
    if done.stopped is not None and done.interrupted:
        raise typer.Exit(done.stopped.status)
    raise typer.Exit(1 if done.ungradable else 0)


def _cluster(
    address: str, sandbox: str, device: str, folder: Path, stop: threading.Event
) -> Cluster:
    """The cluster that was asked for, with every worker examined; says on stderr what it is."""
    from ..course import config
    from ..grading.cluster import Cluster
    from .terminal import workers

    modules = config.modules_of(folder)
    found = Cluster(address, sandbox, gpu=device == "cuda", modules=modules, stop=stop)
    workers(found.workers, found.name)
    return found


def _remarks(grader: Grader, taken: Taken, who: Roster | None) -> list[str]:
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
    if who is not None:
        for known_there in people.values():
            known_there.update(text for p in who.people for text in (p["student_id"], p["email"]))
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
    from ..grading.environment import code_digest, versions
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
        graded[name] = provenance.Graded(
            rules,
            provenance.places(homes),
            taken.classes,
            assignment is not None,
            {**versions(), "code": code_digest()},
        )
    for dataset, images in data.items():
        if (
            not named_root
            and dataset in before.data
            and grader.images.unasked(dataset) != images.root
        ):
            typer.echo(f"images: {images.root} for {dataset}, as in earlier gradings", err=True)
    record = provenance.Provenance(grader.device, data, graded, str(grader.root))
    return provenance.Run(record, bool(taken.classes), named_root)
