"""What the grades in OUT rest on, and whose they are: OUT/provenance.json.

    {"schema": 1,
     "course": "/srv/five-beats",
     "device": "cpu",
     "data": {"mnist": {"root": "/srv/datasets", "images": "mnist-5d2c…"}},
     "assignments": {
       "04-training-loop": {
         "rules": {"version": 1, "checks": "0f3a…", "limits": {"wall_s": 120.0, …}},
         "versions": {"torch": "2.13.0", …}, "stated": false,
         "classes": ["/srv/class"], "students": {"alice": "/srv/class/alice", …}}}}

Theory. A folder of grades is filled over a term: several assignments, and the same one again and
again. All of it must be of one kind, or two students are measured by different rules. So the folder
remembers the device, the images (by what they are, and where they lay), and of each assignment the
version, its checks and limits. A later run takes device and images from here where it is told no
other; one that is told another, or that would change the rules for a part of the class, is refused
before anything changes.

It remembers, too, whom an assignment's newest class held, and where each one's work lay. Who is
not there any more has a row that is kept, and marked: nobody is dropped, and nobody is counted on
who has left or goes by another name now. A class speaks for its own assignments only; where single
students are named, the others stay as they are, unless their work lies nowhere any more.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from ..course.config import Assignment
from ..course.images import EMBEDDED, Prepared, content_of, has
from ..errors import InputError
from ..model import Json, Limits, Result
from . import files
from .store import fingerprint

NAME = "provenance.json"
SCHEMA = 1


@dataclass(frozen=True)
class Images:
    """A data set as it was used: its root (a path, or `embedded`) and what its images are."""

    root: str
    images: str


@dataclass(frozen=True)
class Rules:
    """By what an assignment was graded: its version, a digest of its checks, and the limits."""

    version: int
    checks: str
    limits: Mapping[str, Json]

    @classmethod
    def of(cls, assignment: Assignment, limits: Limits) -> Rules:
        """The rules of an assignment as it now stands."""
        text = assignment.model_dump(mode="json", exclude={"shown", "limits"})
        return cls(assignment.version, fingerprint(text), asdict(limits))


@dataclass(frozen=True)
class Graded:
    """An assignment in OUT: its rules, its class, its students and where each one's work lies."""

    rules: Rules | None
    """None where they are not known: of work without an assignment, and in folders of old."""
    students: Mapping[str, str]
    classes: tuple[str, ...] = ()
    """The folders and archives in which the newest class was named."""
    stated: bool = False
    """Whether somebody said that all of that class is of this assignment (`-a`)."""
    versions: Mapping[str, str] = field(default_factory=dict)
    """By what the newest whole class was graded: versions, and the code that judges."""


@dataclass(frozen=True)
class Provenance:
    """The record of a folder, or of one run into it. `assignments` has the key "" for work of
    which nobody could tell what it answers.
    """

    device: str = ""
    data: Mapping[str, Images] = field(default_factory=dict)
    assignments: Mapping[str, Graded] = field(default_factory=dict)
    course: str = ""
    """Where the course lay."""

    @property
    def classes(self) -> frozenset[str]:
        """Where classes were named."""
        return frozenset(path for one in self.assignments.values() for path in one.classes)

    @property
    def roots(self) -> dict[str, Path]:
        """Where each data set lay."""
        return {dataset: Path(one.root) for dataset, one in self.data.items()}


@dataclass(frozen=True)
class Run:
    """One run of `autograder grade`: its record, whether it named a whole class, and whether
    somebody named the root of its images.
    """

    record: Provenance
    whole_class: bool
    named_root: bool = False


def images(dataset: str, prepared: Prepared | None) -> dict[str, Images]:
    """The part of a record that tells of one assignment's data set; empty where it has none."""
    return {} if prepared is None else {dataset: Images(prepared.source, prepared.content)}


def read(out: Path) -> Provenance:
    """The record of a folder; an empty one where there is none. Raises `InputError`."""
    path = out / NAME
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return Provenance()
    except (OSError, ValueError) as e:
        raise _broken(path, e) from e
    try:
        if raw["schema"] != SCHEMA:
            raise InputError(
                f"was written by another version (schema {raw['schema']}, this one knows {SCHEMA})",
                where=path,
                remedy="choose a fresh folder for -o",
            )
        return Provenance(
            str(raw["device"]),
            {str(k): Images(str(v["root"]), str(v["images"])) for k, v in raw["data"].items()},
            {
                str(k): Graded(
                    None
                    if v["rules"] is None
                    else Rules(
                        int(v["rules"]["version"]),
                        str(v["rules"]["checks"]),
                        dict(v["rules"]["limits"]),
                    ),
                    {str(s): str(p) for s, p in v["students"].items()},
                    tuple(map(str, v["classes"])),
                    bool(v.get("stated", False)),
                    {str(n): str(version) for n, version in v.get("versions", {}).items()},
                )
                for k, v in raw["assignments"].items()
            },
            str(raw.get("course", "")),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as e:
        raise _broken(path, e) from e


def _broken(path: Path, e: Exception) -> InputError:
    return InputError(
        f"cannot be read: {type(e).__name__}: {e}",
        where=path,
        remedy="remove it and grade the whole class again, with the same --data and --device",
    )


def write(out: Path, record: Provenance) -> None:
    """Put the record into its folder."""
    raw = {
        "schema": SCHEMA,
        "course": record.course,
        "device": record.device,
        "data": {k: asdict(v) for k, v in sorted(record.data.items())},
        "assignments": {
            name: {
                "rules": None if one.rules is None else asdict(one.rules),
                "versions": dict(sorted(one.versions.items())),
                "classes": list(one.classes),
                "stated": one.stated,
                "students": dict(sorted(one.students.items())),
            }
            for name, one in sorted(record.assignments.items())
        },
    }
    text = json.dumps(raw, indent=1, ensure_ascii=True) + "\n"
    files.write_whole(out / NAME, text.encode())


# -- one kind of grades in a folder ----------------------------------------------------------------


def agree(out: Path, before: Provenance, run: Run) -> None:
    """Raise `InputError` where a run would mix its grades with others of another kind."""
    now = run.record
    same_device(out, before, now.device)
    same_images(out, before, now.data, named=run.named_root)
    for name, graded in now.assignments.items():
        old = before.assignments.get(name)
        if old is None or old.rules is None or graded.rules is None or old.rules == graded.rules:
            continue
        left = set(_present(old, graded, run)) - set(graded.students)
        if left:
            raise InputError(
                f"{name} was graded by other {difference(old.rules, graded.rules)}, and "
                f"{len(left)} of its students would keep that",
                where=out,
                remedy="grade the whole class again, or choose another -o"
                if old.rules.checks == graded.rules.checks
                else f"autograder regrade {out}, or grade the whole class again",
            )


def same_device(out: Path, before: Provenance, device: str) -> None:
    """Raise `InputError` where OUT holds grades of another device."""
    if before.device and device != before.device:
        raise InputError(
            f"was graded on {before.device}, and this would be {device}",
            where=out,
            remedy=f"say --device {before.device} or leave it out, or choose another -o",
        )


def same_images(
    out: Path, before: Provenance, now: Mapping[str, Images], *, named: bool = False
) -> None:
    """Raise `InputError` where OUT holds grades on other images of one of these data sets; where
    somebody `named` a root (`--data`), also where OUT's own root has such images, too.
    """
    for dataset, ours in now.items():
        known = before.data.get(dataset)
        others = [known] if known is not None else _elsewhere(before, dataset) if named else []
        for theirs in others:
            if ours.images != theirs.images:
                raise InputError(
                    f"was graded on the {_shown(theirs, dataset)}, and this would be on the "
                    f"{_shown(ours, dataset)}",
                    where=out,
                    remedy=f"say --data {theirs.root} or leave it out, or choose another -o",
                )


def _elsewhere(before: Provenance, dataset: str) -> list[Images]:
    """The images of a data set in the roots that OUT's other data sets come from."""
    found = []
    for one in before.data.values():
        root = None if one.root == EMBEDDED else Path(one.root)
        if root is None or has(root, dataset):
            found.append(Images(one.root, content_of(dataset, root)))
    return found


def _shown(one: Images, dataset: str) -> str:
    place = "built-in digits" if one.root == EMBEDDED else f"{dataset} images of {one.root}"
    return f"{place} ({one.images.rpartition('-')[2][:6]})"


def difference(old: Rules, new: Rules) -> str:
    """In what two sets of rules differ, in words."""
    if old.version != new.version:
        return f"rules (version {old.version}, now {new.version})"
    if old.limits != new.limits:
        changed = sorted(k for k in new.limits if new.limits[k] != old.limits.get(k))
        return (
            "limits ("
            + ", ".join(f"{k} {old.limits.get(k)}, now {new.limits[k]}" for k in changed)
            + ")"
        )
    return "checks than assignment.yml now states"


# -- whom a folder holds ---------------------------------------------------------------------------


def standing(out: Path) -> Provenance:
    """The record of a folder as it binds a run into it. Raises `InputError`.

    What results tell and the record does not is added, as for a folder that was filled before there
    were records; and while there is no grade in it, it is bound to no device, images or rules.
    """
    before = read(out)
    assignments = dict(before.assignments)
    results, _ = files.readable(out)  # what is torn is not told apart; a grade heals it
    for result in results:
        if result.assignment not in before.assignments:
            there = assignments.get(result.assignment, Graded(None, {}))
            students = {**there.students, result.student: ""}
            assignments[result.assignment] = replace(there, students=students)
    if any(r.status == "graded" for r in results):
        return replace(before, assignments=assignments)
    free = {name: replace(one, rules=None) for name, one in assignments.items()}
    return Provenance(assignments=free)


def merged(before: Provenance, run: Run, *, done: bool) -> Provenance:
    """The record of a folder when a run begins, or when it is `done`: only then its rules hold
    for everybody, and a run that is broken off leaves the old ones in the record.
    """
    assignments = dict(before.assignments)
    for name, graded in run.record.assignments.items():
        old = assignments.get(name)
        rest = {} if old is None else _present(old, graded, run)
        rules = graded.rules if done or old is None else old.rules
        students = {**rest, **graded.students}
        if old is None:
            assignments[name] = replace(graded, students=students)
            continue
        place = graded if run.whole_class else old
        versions = graded.versions if done and run.whole_class else old.versions
        assignments[name] = Graded(rules, students, place.classes, place.stated, versions)
    data = {**before.data, **run.record.data}
    return Provenance(run.record.device, data, assignments, run.record.course or before.course)


def _present(old: Graded, now: Graded, run: Run) -> dict[str, str]:
    """Of the students there were, those who still are, though the run need not have named them."""
    if run.whole_class:
        return {s: place for s, place in old.students.items() if s in now.students}
    return {s: place for s, place in old.students.items() if s in now.students or lies(place)}


def lies(place: str) -> bool:
    """Whether work still lies where it lay."""
    return not place or Path(place).exists()


def mark(out: Path, record: Provenance) -> tuple[Result, ...]:
    """Mark in OUT the results of students who are not in their assignment's class any more, and no
    others; returns those who are marked. `record` is that of the folder.
    """
    gone = []
    for result in files.readable(out)[0]:
        graded = record.assignments.get(result.assignment)
        is_gone = graded is not None and result.student not in graded.students
        if is_gone != result.gone:
            result = replace(result, gone=is_gone)
            files.write_result(out, result)
        if is_gone:
            gone.append(result)
    return tuple(gone)


def places(paths: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Students and the places of their work, as far as these lie on disk by themselves."""
    found = {}
    for student, path in paths:
        place = Path(path)
        while not place.exists() and place != place.parent:
            place = place.parent
        found[student] = str(place.resolve())
    return found
