"""Intake: from the paths a person names to one submission per student and assignment.

    alice.py                                one file; the student is its stem
    class/{alice.py, bob.ipynb, carol.zip}  a folder of such files
    class/alice/training_loop.py            a folder per student, with what lies beside
    class/alice/04-training-loop/…          a folder per student and assignment
    class.zip                               any of these, and what Canvas, Moodle or Gradescope
                                            pack (`canvas`, `moodle`, `gradescope_export`)

Theory. Nobody's work may vanish and nothing may stop the class: whatever cannot be taken
in becomes a `Refused` record with a reason in words, which later stands in `grades.csv` as
`ungradable`. Which assignment a program answers is what `-a` says, else what its file's
name says, else what its folder's name says; a guess is never made. Order is by student and
assignment, whatever the file system says.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath

from ..errors import InputError, SubmissionError
from ..model import Json, Program, Submission
from ..text import clean, distinct_names
from . import canvas, gradescope_export, moodle
from .mend import NONE, Handout, Handouts
from .program import NEARLY_WORK, PROGRAM_CAP, folded, is_program, read_program, same_code, stubs
from .tree import MIB, Folder, Handed, Leaf, files_of, read_file, read_folder, read_zip, timestamp

STUDENT_ZIP_CAP = 512 * MIB
CANDIDATES, CANDIDATES_CAP = 40, 48 * MIB
"""Programs of one folder, and bytes of them, that are read to tell which is to be graded. Reading a
script takes up to a second for 8 MiB; a notebook's outputs may be large.
"""
NOT_WORK = frozenset(("conftest.py", "setup.py", "__init__.py"))
_WORK = (".ipynb", ".py", ".zip", *NEARLY_WORK)
_COPY = r"(?:_?(?:copy|final|v?\d+))*"


@dataclass(frozen=True)
class Refused:
    """Work that could not be taken in: whose, which file, why, and for which assignment."""

    student: str
    path: str
    reason: str
    assignment: str = ""
    origin: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True)
class _Found:
    """A submission on its way: with the name as it stood in the file system, and its age."""

    raw: str
    submission: Submission
    path: str
    modified: float


def collect(
    paths: Sequence[Path], assignment: str | None, known: Mapping[str, str], given: Handouts = NONE
) -> tuple[list[Submission], list[Refused]]:
    """Take in every submission below `paths`.

    `known` maps assignment ids to the name of their module, `given` to what was handed out;
    `assignment` is what `-a` said.
    Returns submissions (at most one per student and assignment, the newest) and refusals,
    both sorted. Raises `InputError` only for what the caller got wrong: a path that does
    not exist, an assignment that is not there.
    """
    if assignment is not None and assignment not in known:
        raise InputError(
            f"there is no assignment '{clean(assignment)}'",
            remedy=f"one of: {', '.join(sorted(known))}",
        )
    intake = _Intake(assignment, dict(known), given)
    for path in paths:
        if not path.exists():
            raise InputError("does not exist", where=clean(str(path)), remedy="check the path")
        intake.take(path)
    return intake.finish()


def of_one(
    folder: Path, student: str, assignment: str, known: Mapping[str, str], given: Handouts = NONE
) -> tuple[list[Submission], list[Refused]]:
    """Take in a folder that is known to be one student's work for `assignment`."""
    intake = _Intake(assignment, dict(known), given)
    try:
        intake.student(read_folder(folder), student, str(folder))
    except SubmissionError as e:
        intake.refuse(student, str(folder), str(e))
    return intake.finish()


class _Intake:
    """The layout rules; every method adds to `found` or to `refused`."""

    def __init__(self, assignment: str | None, known: dict[str, str], given: Handouts) -> None:
        self.assignment = assignment
        self.known = known
        self.given = given
        self.origins: dict[str, Mapping[str, Json]] = {}
        self.times: dict[str, str] = {}
        """When work came whose own `timestamp.txt` the student may have written; "" if unknown."""
        self.found: list[_Found] = []
        self.refused: list[tuple[str, Refused]] = []

    # -- what the user named -------------------------------------------------------------

    def take(self, path: Path) -> None:
        """One PATH of the command line."""
        name = path.name or path.resolve().name
        student = name if path.is_dir() else PurePath(name).stem
        try:
            if path.is_dir():
                self.root(read_folder(path), student, str(path))
            elif name.lower().endswith(".zip"):
                self.root(_unwrap(read_zip(read_file(path))), student, str(path))
            elif path.is_file() and canvas.parse(name):
                self.handed(canvas.gather([read_file(path)]), str(path.parent))
            elif path.is_file():
                self.file(read_file(path), student, str(path))
            else:
                self.refuse(student, str(path), "is not a plain file")
        except (SubmissionError, OSError) as e:
            self.refuse(student, str(path), str(e))

    def root(self, tree: Folder, student: str, path: str) -> None:
        """A folder the user named: a class, or a single student's work."""
        for tool in (gradescope_export, moodle):
            students, tree = tool.gather(tree)
            self.handed(students, path)
            if students and not tree.files and not tree.folders:
                return
        work = [f for n, f in tree.files.items() if n.lower().endswith(_WORK)]
        if 2 * sum(canvas.parse(leaf.name) is not None for leaf in work) > len(work):
            self.handed(canvas.gather(tree.files.values()), path)
            others = {n: leaf for n, leaf in tree.files.items() if not canvas.parse(n)}
            tree = Folder(tree.name, tree.folders, others, tree.notes)
            if not any(leaf in work for leaf in others.values()) and not tree.folders:
                return
        programs = self.programs(tree)
        exact = [p for p in programs if self.exact(p.name)]
        if exact and len(exact) == len(programs) and not tree.folders and not self.origins:
            self.student(tree, student, path)
            return
        for name, leaf in tree.files.items():
            here = f"{path}/{name}"
            try:
                if leaf in programs:
                    self.file(leaf, PurePath(name).stem, here)
                elif name.lower().endswith(".zip"):
                    self.archive(leaf, PurePath(name).stem, here)
                elif name.lower().endswith(NEARLY_WORK):
                    self.refuse(
                        PurePath(name).stem, here, f"{clean(name)} is not a notebook or a script"
                    )
            except SubmissionError as e:
                self.refuse(PurePath(name).stem, here, str(e))
        for name, folder in tree.folders.items():
            try:
                self.student(folder, name, f"{path}/{name}")
            except SubmissionError as e:
                self.refuse(name, f"{path}/{name}", str(e))
        if not tree.folders and not tree.files:
            self.refuse(student, path, "holds no submission")

    def handed(self, students: Iterable[Handed], path: str) -> None:
        """Students as another tool's layout names them."""
        for one in students:
            self.origins[one.student] = one.origin
            self.times[one.student] = one.when
            here = f"{path}/{one.origin['file']}"
            try:
                if one.why:
                    self.refuse(one.student, here, one.why)
                else:
                    self.student(one.folder, one.student, here)
            except SubmissionError as e:
                self.refuse(one.student, here, str(e))

    # -- one student ---------------------------------------------------------------------

    def file(self, leaf: Leaf, student: str, path: str) -> None:
        """A single file that is a student's whole work."""
        if not is_program(leaf.name):
            self.refuse(student, path, f"{clean(leaf.name)} is not a notebook or a script")
            return
        wanted = self.assignment or self.named(leaf.name, loosely=True)
        if wanted is None:
            self.refuse(student, path, self.undecided(leaf.name))
            return
        program, notes, raw = _read(leaf, self.given.get(wanted))
        self.add(student, wanted, program, {program.main: raw}, "", notes, path, leaf.modified)

    def archive(self, leaf: Leaf, student: str, path: str) -> None:
        """A zip archive that is a student's whole work."""
        self.times.setdefault(student, "")
        self.student(read_zip(leaf, cap=STUDENT_ZIP_CAP), student, path)

    def student(self, folder: Folder, student: str, path: str, depth: int = 0) -> None:
        """A student's folder: programs, or a folder per assignment, or those one level down."""
        by_assignment = {
            wanted: sub
            for name, sub in folder.folders.items()
            if (wanted := self.named(name)) is not None
        }
        unnamed = [sub for sub in folder.folders.values() if sub not in by_assignment.values()]
        of_others = self.assignment is not None and bool(by_assignment.keys() - {self.assignment})
        if self.assignment is not None:
            by_assignment = {k: v for k, v in by_assignment.items() if k == self.assignment}
        for wanted, sub in by_assignment.items():
            self.choose(sub, student, wanted, f"{path}/{sub.name}")
        programs = self.programs(folder, strictly=True)
        archives = [f for n, f in folder.files.items() if n.lower().endswith(".zip")]
        if programs and self.assignment not in by_assignment:
            named = {w for p in programs if (w := self.named(p.name, loosely=True)) is not None}
            for wanted in (
                [self.assignment] if self.assignment else sorted(named - by_assignment.keys())
            ):
                self.choose(folder, student, wanted, path)
            if not named and not self.assignment and not by_assignment:
                self.refuse(student, path, self.undecided(", ".join(p.name for p in programs)))
        elif by_assignment or of_others:  # nothing was handed in for the assignment asked for
            return
        elif len(archives) == 1 and depth < 2:
            self.times.setdefault(student, timestamp(folder))
            self.student(read_zip(archives[0], cap=STUDENT_ZIP_CAP), student, path, depth + 1)
        elif len(unnamed) == 1 and depth < 4:
            inner = unnamed[0]
            self.student(inner, student, f"{path}/{inner.name}", depth + 1)
        else:
            what = "holds no notebook and no script" + (
                f"; its {len(folder.folders)} folders are not named by an assignment"
                if folder.folders
                else ""
            )
            self.refuse(student, path, what)

    def choose(self, folder: Folder, student: str, wanted: str, path: str) -> None:
        """The one program of a folder that answers `wanted`, with the files beside it."""
        programs = self.programs(folder, strictly=True)
        fits = [p for p in programs if self.named(p.name, loosely=True) == wanted]
        exact = [p for p in fits if self.exact(p.name, wanted)]
        candidates = (
            exact or fits or [p for p in programs if self.named(p.name, loosely=True) is None]
        )
        if not programs and len(folder.folders) == 1:
            inner = next(iter(folder.folders.values()))
            self.choose(inner, student, wanted, f"{path}/{inner.name}")
            return
        if not candidates:
            others = "".join(f"; {clean(p.name)} is named for another assignment" for p in programs)
            self.refuse(
                student, path, f"holds no notebook and no script for {wanted}{others}", wanted
            )
            return
        size = sum(leaf.size for leaf in candidates)
        if len(candidates) > CANDIDATES or (len(candidates) > 1 and size > CANDIDATES_CAP):
            much = f"{len(candidates)} programs of {max(size >> 20, 1)} MiB"
            named = f"{self.known[wanted]}.ipynb or {self.known[wanted]}.py"
            why = f"holds {much} that could be the one to grade (keep one, named {named})"
            self.refuse(student, path, why, wanted)
            return
        read = [(leaf, *_read(leaf, self.given.get(wanted))) for leaf in candidates]
        best = min(stubs(program) for _, program, _, _ in read)
        left = [r for r in read if stubs(r[1]) == best]
        names = ", ".join(clean(leaf.name) for leaf, *_ in read)
        if len(left) > 1 and all(same_code(left[0][1], r[1]) for r in left[1:]):
            left = [min(left, key=lambda r: (r[1].kind != "notebook", r[0].name))]
        if len(left) > 1:
            module = self.known[wanted]
            self.refuse(
                student,
                path,
                f"several programs could be the one to grade: {names} "
                f"(keep one, named {module}.ipynb or {module}.py)",
                wanted,
            )
            return
        leaf, program, notes, raw = left[0]
        extra: tuple[str, ...] = ()
        if len(read) > 1:
            why = "(the others are unfinished or the same)"
            extra = (f"of {names}, {clean(leaf.name)} was graded {why}",)
        beside, left_out = files_of(folder, but=leaf.name)
        files = {program.main: raw, **beside}
        if left_out:
            shown = "; ".join(left_out[:6]) + (
                f"; and {len(left_out) - 6} more" if len(left_out) > 6 else ""
            )
            extra += (f"left out: {shown}",)
        when = self.times[student] if student in self.times else timestamp(folder)
        self.add(student, wanted, program, files, when, (*notes, *extra), path, leaf.modified)

    # -- names ---------------------------------------------------------------------------

    def programs(self, folder: Folder, *, strictly: bool = False) -> list[Leaf]:
        """The files of a folder that may be somebody's work; `strictly` leaves out any test."""
        tests = {f"test_{module}" for module in self.known.values()}
        return [
            leaf
            for name, leaf in folder.files.items()
            if is_program(name)
            and name not in NOT_WORK
            and folded(name) not in tests
            and not (strictly and name.startswith("test_"))
        ]

    def exact(self, name: str, wanted: str | None = None) -> bool:
        """Whether a file is named exactly as the handout names it."""
        modules = self.known.values() if wanted is None else (self.known[wanted],)
        return folded(name) in modules

    def named(self, name: str, *, loosely: bool = False) -> str | None:
        """The assignment a file or folder name speaks of: its module or id, perhaps numbered
        as a copy; loosely, also with other words around it. None where two fit.
        """
        plain = folded(name)
        words = {i: (module, folded(i)) for i, module in self.known.items()}
        strict = [i for i, ws in words.items() if any(re.fullmatch(w + _COPY, plain) for w in ws)]
        if strict or not loosely:
            return strict[0] if len(strict) == 1 else None
        within = [(len(w), i) for i, ws in words.items() for w in ws if f"_{w}_" in f"_{plain}_"]
        longest = {i for length, i in within if length == max(within)[0]}
        return longest.pop() if len(longest) == 1 else None

    def undecided(self, names: str) -> str:
        """The reason given where no rule tells the assignment."""
        modules = ", ".join(sorted(self.known.values()))
        return (
            f"cannot tell which assignment {clean(names)[:200]} answers "
            f"(say it with -a, or name the file {modules})"
        )

    # -- results -------------------------------------------------------------------------

    def refuse(self, student: str, path: str, reason: str, assignment: str = "") -> None:
        record = Refused("", clean(path), clean(reason), assignment or self.assignment or "")
        self.refused.append((student, record))

    def add(
        self,
        student: str,
        wanted: str,
        program: Program,
        files: Mapping[str, bytes],
        when: str,
        notes: tuple[str, ...],
        path: str,
        modified: float,
    ) -> None:
        submission = Submission("", wanted, program, files, when, tuple(clean(n) for n in notes))
        self.found.append(_Found(student, submission, path, modified))

    def finish(self) -> tuple[list[Submission], list[Refused]]:
        """Names made safe and unique, the newest of each kept, everything in order."""
        names = distinct_names({f.raw for f in self.found} | {raw for raw, _ in self.refused})
        newest: dict[tuple[str, str], list[_Found]] = {}
        for f in self.found:
            newest.setdefault((names[f.raw], f.submission.assignment), []).append(f)
        kept: dict[tuple[str, str], Submission] = {}
        for (student, wanted), several in newest.items():
            *older, last = sorted(
                several, key=lambda f: (f.submission.submitted_at, f.modified, f.path)
            )
            notes = last.submission.notes + tuple(
                f"handed in more than once: {clean(last.path)} is the newest and was graded, "
                f"{clean(o.path)} was not"
                for o in older
            )
            origin = self.origins.get(last.raw, {})
            kept[student, wanted] = replace(
                last.submission, student=student, notes=notes, origin=origin
            )
        refused: dict[tuple[str, str, str], Refused] = {}
        for raw, record in self.refused:
            record = replace(record, student=names[raw], origin=self.origins.get(raw, {}))
            twins = [k for k in kept if k[0] == record.student and record.assignment in ("", k[1])]
            for k in twins:
                kept[k] = replace(kept[k], notes=(*kept[k].notes, f"not taken: {record.reason}"))
            if not twins:
                refused[record.student, record.assignment, record.path] = record
        return [kept[k] for k in sorted(kept)], [refused[k] for k in sorted(refused)]


def _read(leaf: Leaf, handout: Handout | None) -> tuple[Program, tuple[str, ...], bytes]:
    raw = leaf.read(PROGRAM_CAP)
    program, notes = read_program(leaf.name, raw, handout)
    return program, notes, raw


def _unwrap(tree: Folder) -> Folder:
    """The class inside the single folder that some archivers put around it."""
    while not tree.files and len(tree.folders) == 1:
        inner = next(iter(tree.folders.values()))
        if gradescope_export.is_export(inner):
            return inner
        if moodle.is_students(inner.name):
            break
        loose = [n for n in inner.files if is_program(n) or n.lower().endswith(".zip")]
        if len(loose) + len(inner.folders) < 2 or any(folded(n).startswith("test_") for n in loose):
            break
        tree = inner
    return tree
