"""Intake: from the paths a person names to one submission per student and assignment.

    alice.py                                one file; the student is its stem
    class/{alice.py, bob.ipynb, carol.zip}  a folder of such files
    class/alice/training_loop.py            a folder per student, with what lies beside
    class/alice/04-training-loop/…          a folder per student and assignment, as in nbgrader
    class.zip, class.tar.gz                 any of these, and what schools' tools pack
                                            (`canvas`, `gradescope`, `layouts`)

Theory. Nobody's work may vanish and nothing may stop the class: whatever lies there is somebody's
work or becomes a `Refused` record that says in words what it is, which later stands in `grades.csv`
as `ungradable`; only what is plainly the class's own (a roster, a README) is passed over. Which
assignment a program answers is what `-a` says, else what its file's name says, else what its
folder's name says; a guess is never made. All programs of a student that may be meant are
gathered, in folders and archives too, and `versions` tells which of them is graded. Order is by
student and assignment, whatever the file system says.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import tzinfo
from pathlib import Path

from ..errors import InputError, SubmissionError
from ..model import Json, Submission
from ..text import clean, distinct_names
from . import gradescope, layouts
from .kinds import kind
from .program import (
    PROGRAM_CAP,
    folded,
    imports_of,
    is_program,
    of_the_class,
    program_name,
    read_program,
    stem_of,
    untouched,
)
from .repair import NONE, Handouts
from .times import settled, stamp
from .tree import (
    MIB,
    Folder,
    Handed,
    Leaf,
    files_of,
    is_archive,
    read_archive,
    read_file,
    read_folder,
    told_apart,
)
from .versions import Version, pick, says_age

STUDENT_ZIP_CAP = 512 * MIB
VERSIONS_CAP = 24
"""More programs of one student than this, named for one assignment, are not read; and of these only
as many as come to `PROGRAM_CAP` together.
"""
ARCHIVES_CAP = 4
"""More archives in one folder of a student than this are not opened."""
DEPTH = 6
"""How deep in a student's folder programs are looked for, in folders and archives."""
UNTOUCHED = "nothing was written: every task is as it was handed out"
_COPY = r"(?:_?(?:copy|final|v?\d+))*"
_COPIED = re.compile(
    r"(?P<name>.*\S)(\s*\(\d{1,3}\)|\s*[-\u2013]?\s*\b(copy|kopie|copia|copie|kopia)\b(\s*\(?\d{1,3}\)?)?)",
    re.IGNORECASE,
)
"""What browsers and file managers put behind the name of a copy."""
_RENAMED = re.compile(
    r"(?P<name>.*\S?)[\s._-]+(v\d{1,3}|new|newest|final|latest|old|backup|bak|fixed|corrected)",
    re.IGNORECASE,
)
"""What people put behind it; believed only where the plain name is there, too."""


@dataclass(frozen=True)
class Refused:
    """Work that could not be taken in: whose, which file, why, and for which assignment."""

    student: str
    path: str
    reason: str
    assignment: str = ""
    origin: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True)
class _Place:
    """Where in a student's work we are looking.

    `label` is the path below the student's work, `path` the whole one, `home` the path of all that
    is the student's and `inner` the folders between; `context` the assignment that one of them is
    named for. `chain` says that all there is lies in here, so that any program may be meant.
    """

    label: str
    path: str
    home: str
    inner: tuple[str, ...] = ()
    context: str | None = None
    chain: bool = True
    when: str | None = None
    depth: int = 0
    archives: int = 0
    upload: int = 0
    """As in `Leaf`, of the archive that we are in."""

    def into(
        self, name: str, *, context: str | None, chain: bool, archive: Leaf | None = None
    ) -> _Place:
        """The place of a folder or archive in here."""
        return replace(
            self,
            label=f"{self.label}{name}/",
            path=f"{self.path}/{name}",
            inner=(*self.inner, name),
            context=context or self.context,
            chain=chain,
            depth=self.depth + 1,
            archives=self.archives + (archive is not None),
            upload=archive.upload if archive is not None and archive.upload else self.upload,
        )


@dataclass
class _Work:
    """What was found of one student: programs with what they are named for, and other words."""

    programs: list[tuple[str | None, Leaf, Folder, _Place]] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    """Archives that could not be opened, with the reason."""
    room: int = field(default_factory=lambda: STUDENT_ZIP_CAP)
    """How many bytes archives may still unpack to."""
    folders: set[str] = field(default_factory=set)
    """The assignments that folders are named for."""


@dataclass(frozen=True)
class Taken:
    """What intake found: submissions (at most one per student and assignment) and refusals, both
    sorted; by student and assignment where each one's work lies; and which of the paths hold a
    class, and not only the work of one student.
    """

    submissions: list[Submission]
    refused: list[Refused]
    homes: Mapping[tuple[str, str], str]
    classes: tuple[str, ...] = ()


def collect(
    paths: Sequence[Path],
    assignment: str | None,
    known: Mapping[str, str],
    given: Handouts = NONE,
    zone: tzinfo | None = None,
) -> tuple[list[Submission], list[Refused]]:
    """The submissions below `paths`, and what was refused, as `take_in` finds them."""
    taken = take_in(paths, assignment, known, given, zone)
    return taken.submissions, taken.refused


def take_in(
    paths: Sequence[Path],
    assignment: str | None,
    known: Mapping[str, str],
    given: Handouts = NONE,
    zone: tzinfo | None = None,
    classes: Collection[str] = (),
) -> Taken:
    """Take in every submission below `paths`.

    `known` maps assignment ids to the name of their module, `given` to what was handed out;
    `assignment` is what `-a` said; `zone` is the course's, for times without an offset. `classes`
    are folders that were named as classes before: a folder in one of them is a student's. Raises
    `InputError` only for what the caller got wrong: a path that does not exist, an assignment that
    is not there.

    A link that is the only path is followed, since a person chose it; among several it may be a
    student's own, as where a shell makes `class/*` of a class.
    """
    if assignment is not None and assignment not in known:
        raise InputError(
            f"there is no assignment '{clean(assignment)}'",
            remedy=f"one of: {', '.join(sorted(known))}",
        )
    intake = _Intake(assignment, dict(known), given, zone)
    names = {stem_of(path.name) for path in paths}
    for path in paths:
        if not path.exists():
            raise InputError("does not exist", where=clean(str(path)), remedy="check the path")
        if len(paths) > 1 and path.is_file() and of_the_class(path.name):
            continue  # as a shell makes them of class/*
        if len(paths) > 1 and path.is_symlink():
            what = f"{clean(path.name)} is a link; links are not followed (name where it leads)"
            intake.refuse(_whose(path.name, names), str(path), what)
            continue
        intake.take(path, names, of_class=str(path.resolve().parent) in classes)
    found, refused = intake.finish()
    homes = {(r.student, r.assignment): r.path for r in refused} | intake.homes
    return Taken(found, refused, homes, tuple(intake.classes))


def of_one(
    folder: Path, student: str, assignment: str, known: Mapping[str, str], given: Handouts = NONE
) -> tuple[list[Submission], list[Refused]]:
    """Take in a folder that is known to be one student's work for `assignment`."""
    intake = _Intake(assignment, dict(known), given, None)
    try:
        intake.times[student] = ""
        intake.student(read_folder(folder), student, str(folder))
    except SubmissionError as e:
        intake.refuse(student, str(folder), str(e))
    return intake.finish()


class _Intake:
    """The layout rules; every method adds to `found` or to `refused`."""

    def __init__(
        self,
        assignment: str | None,
        known: dict[str, str],
        given: Handouts,
        zone: tzinfo | None,
    ) -> None:
        self.assignment = assignment
        self.known = known
        self.given = given
        self.zone = zone
        self.origins: dict[str, Mapping[str, Json]] = {}
        self.times: dict[str, str] = {}
        """When work came of which a tool tells; "" for work that may hold a time of its own
        making (`timestamp.txt` in a student's zip), which says nothing.
        """
        self.told: dict[str, Handed] = {}
        """What another tool's layout says of a student."""
        self.found: list[Version] = []
        self.refused: list[tuple[str, Refused, float]] = []
        self.homes: dict[tuple[str, str], str] = {}
        self.classes: list[str] = []

    # -- what the user named -------------------------------------------------------------

    def take(self, path: Path, names: set[str], *, of_class: bool) -> None:
        """One PATH of the command line; `names` are those of all, without suffixes, and `of_class`
        says that it lies in a class's folder.
        """
        name = path.name or path.resolve().name
        student = name if path.is_dir() else _whose(name, names)
        try:
            if path.is_file() and is_archive(name):
                tree = read_archive(read_file(path), of_class=True)
                self.root(self.unwrap(tree), student, str(path))
                return
            alone = Folder(path.resolve().parent.name)
            if path.is_dir():
                alone.folders[name] = read_folder(path)
            elif path.is_file():
                alone.files[name] = read_file(path)
            else:
                self.refuse(student, str(path), "is not a plain file")
                return
            handed, _ = layouts.gather(alone, self.speaks, self.zone)
            if handed:
                self.handed(handed, str(path.parent))
            elif path.is_file():
                self.file(alone.files[name], student, str(path))
            elif of_class:
                self.student(alone.folders[name], student, str(path))
            else:
                self.root(alone.folders[name], student, str(path))
        except (SubmissionError, OSError) as e:
            self.refuse(student, str(path), str(e))

    def root(self, tree: Folder, student: str, path: str) -> None:
        """A folder the user named: a class, or a single student's work."""
        handed, tree = gradescope.gather(tree)
        students, tree = layouts.gather(tree, self.speaks, self.zone)
        handed += students
        self.handed(handed, path)
        if not handed and self.is_one(tree):
            self.student(tree, student, path)
            return
        self.classes.append(str(Path(path).resolve()))
        names = {stem_of(n) for n in tree.files if not of_the_class(n)}
        names |= set(tree.folders)
        for name, leaf in tree.files.items():
            if not of_the_class(name):
                self.loose(leaf, _whose(name, names), f"{path}/{name}")
        for name, folder in tree.folders.items():
            if not _is_ours(folder):
                self.student(folder, name, f"{path}/{name}")
        for name, why in tree.odd.items():
            self.refuse(stem_of(name.rstrip("/")), f"{path}/{name}", f"{clean(name)}: {why}")
        if not (handed or tree.folders or tree.files or tree.odd):
            self.refuse(student, path, "holds no submission")

    def unwrap(self, tree: Folder) -> Folder:
        """The class inside the single folder that some archivers put around it."""
        while not tree.files and len(tree.folders) == 1 and not tree.odd:
            inner = next(iter(tree.folders.values()))
            if layouts.gather(tree, self.speaks, self.zone)[0]:
                break
            if gradescope.is_outer(inner) or layouts.gather(inner, self.speaks, self.zone)[0]:
                return inner
            loose = [n for n in inner.files if is_program(n) or is_archive(n)]
            if len(loose) + len(inner.folders) < 2 or any(
                folded(n).startswith("test_") for n in loose
            ):
                break
            tree = inner
        return tree

    def is_one(self, tree: Folder) -> bool:
        """Whether a folder is one student's work: nobody is called as the handout is, so a program
        of that name is a student's, and so is all that is named for it or that it imports.
        """
        programs = self.programs(tree)
        exact = [leaf for n, leaf in programs if self.exact(n)]
        if not programs and tree.folders and all(map(self.named, tree.folders)):
            return all(len(sub.folders) < 2 for sub in tree.folders.values())  # as in nbgrader
        if not exact:
            return False
        used = frozenset().union(*(imports_of(leaf) for leaf in exact))
        return all(
            self.named(n, loosely=True) is not None or folded(n) in used for n, _ in programs
        ) and all(
            n in used or says_age(n) or not self.programs(sub) for n, sub in tree.folders.items()
        )

    def handed(self, students: Iterable[Handed], path: str) -> None:
        """Students as another tool's layout names them."""
        for one in told_apart(students):
            self.origins[one.student] = one.origin
            self.times[one.student] = one.when
            self.told[one.student] = one
            here = f"{path}/{one.origin['file']}"
            if one.why:
                self.refuse(one.student, here, one.why)
            else:
                self.student(one.folder, one.student, here)

    # -- one student ---------------------------------------------------------------------

    def loose(self, leaf: Leaf, student: str, path: str) -> None:
        """A file of a class's folder that is a student's whole work."""
        try:
            if is_archive(leaf.name):
                self.times.setdefault(student, "")
                tree = read_archive(leaf, cap=STUDENT_ZIP_CAP)
                self.student(tree, student, path, f"{leaf.name}/")
            else:
                self.file(leaf, student, path)
        except SubmissionError as e:
            self.refuse(student, path, str(e))

    def file(self, leaf: Leaf, student: str, path: str) -> None:
        """A single file that is a student's whole work."""
        name = program_name(leaf)
        if name is None:
            what = f"it is {kind(leaf)}: {clean(leaf.name)} is not a notebook or a script"
            self.refuse(student, path, what)
            return
        wanted = self.assignment or self.named(name, loosely=True)
        if wanted is None:
            self.refuse(student, path, self.undecided(leaf.name))
            return
        place = _Place("", path.removesuffix(f"/{leaf.name}"), path)
        self.add(student, wanted, leaf, None, place, named=True)

    def student(self, folder: Folder, student: str, path: str, label: str = "") -> None:
        """A student's folder or archive: programs, perhaps in folders and archives of their own."""
        work = _Work()
        place = _Place(label, path, path, when=self.times.get(student))
        self.gather(folder, place, work)
        named: dict[str, list[tuple[Leaf, Folder, _Place]]] = {}
        unnamed = []
        for wanted, leaf, beside, place in work.programs:
            if wanted is not None:
                named.setdefault(wanted, []).append((leaf, beside, place))
            else:
                unnamed.append((leaf, beside, place))
        asked = [self.assignment] if self.assignment else sorted(named.keys() | work.folders)
        for wanted in asked:
            fits = named.get(wanted, [])
            others = [u for u in unnamed if u[2].context == wanted]
            if not others and self.assignment and not work.folders:
                others = [u for u in unnamed if u[2].context is None]
            several = _newest_first(fits or others)
            for leaf, beside, place in several:
                self.add(student, wanted, leaf, beside, place, named=bool(fits))
            unread = len(fits or others) - len(several)
            if unread:
                work.broken.append(f"{unread} more programs for {wanted}, which were not looked at")
            if not fits and not others:
                self.without(folder, student, path, wanted, work)
        if not asked and unnamed:
            names = ", ".join(leaf.name for leaf, _, _ in unnamed)
            self.refuse(student, path, self.undecided(names))
        elif not asked:
            self.refuse(student, path, _nothing_in(folder, work))
        else:
            for why in work.broken:
                self.refuse(student, path, why)

    def without(self, folder: Folder, student: str, path: str, wanted: str, work: _Work) -> None:
        """The record of a student in whose work nothing answers `wanted`."""
        if wanted in work.folders or not work.folders:
            others = {leaf.name for w, leaf, _, _ in work.programs if w not in (None, wanted)}
            told = "; ".join(f"{clean(n)} is named for another assignment" for n in sorted(others))
            why = f"holds no notebook and no script for {wanted}; {told}" if told else ""
            self.refuse(student, path, why or _nothing_in(folder, work), wanted)
        # else nothing was handed in for it: the folders are named for other assignments

    def gather(self, folder: Folder, here: _Place, work: _Work) -> None:
        """Find the programs in `folder` that may be meant, below it and in archives, too."""
        programs = self.programs(folder, strictly=True)
        for name, leaf in programs:
            wanted = self.named(name, loosely=True)
            near = here.chain or here.context == wanted or self.named(name) is not None
            if near if wanted else here.chain:
                leaf = leaf if leaf.upload else replace(leaf, upload=here.upload)
                work.programs.append((wanted, leaf, folder, here))
        if here.depth >= DEPTH:
            return
        within = {name: self.named(name) for name in folder.folders}
        work.folders |= {w for w in within.values() if w is not None}
        alone = here.chain and not programs and sum(w is None for w in within.values()) == 1
        for name, sub in folder.folders.items():
            context = within[name]
            place = here.into(name, context=context, chain=alone or context is not None)
            if not here.depth and here.when is None and name in self.known:
                # a folder of nothing but assignments is nbgrader's, and the time its own
                own = not folder.files and not folder.notes
                place = replace(place, when=stamp(sub, self.zone) if own else "")
            self.gather(sub, place, work)
        archives = [leaf for leaf in folder.files.values() if is_archive(leaf.name)]
        chain = here.chain and not programs and len(archives) == 1
        if here.archives > (1 if chain else 0):
            return
        for leaf in archives[:ARCHIVES_CAP]:
            place = here.into(leaf.name, context=None, chain=chain, archive=leaf)
            try:
                tree = read_archive(leaf, cap=max(work.room, 1))
            except SubmissionError as e:
                work.broken.append(str(e))
                continue
            work.room -= tree.weight
            self.gather(tree, place, work)

    # -- names ---------------------------------------------------------------------------

    def programs(self, folder: Folder, *, strictly: bool = False) -> list[tuple[str, Leaf]]:
        """The files of a folder that may be somebody's work, each with the name it is read under;
        `strictly` leaves out any test.
        """
        tests = {f"test_{module}" for module in self.known.values()}
        named = [(program_name(leaf), leaf) for leaf in folder.files.values()]
        return [
            (name, leaf)
            for name, leaf in named
            if name is not None
            and not of_the_class(name)
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

    def speaks(self, name: str) -> bool:
        """Whether a name speaks of one of the course's assignments."""
        return self.named(name) is not None

    def undecided(self, names: str) -> str:
        """The reason given where no rule tells the assignment."""
        modules = ", ".join(sorted(self.known.values()))
        return (
            f"cannot tell which assignment {clean(names)[:200]} answers "
            f"(say it with -a, or name the file {modules})"
        )

    # -- results -------------------------------------------------------------------------

    def refuse(
        self, student: str, path: str, reason: str, assignment: str = "", modified: float = 0.0
    ) -> None:
        """Note work that is not taken in; `modified` is the time of a program named for it."""
        record = Refused("", clean(path), clean(reason), assignment or self.assignment or "")
        self.refused.append((student, record, modified))

    def add(
        self,
        student: str,
        wanted: str,
        leaf: Leaf,
        beside: Folder | None,
        place: _Place,
        *,
        named: bool,
    ) -> None:
        """Read a program that may be the student's work for `wanted`."""
        path = f"{place.path}/{leaf.name}"
        name = program_name(leaf) or leaf.name
        try:
            raw = leaf.read(PROGRAM_CAP)
            program, notes = read_program(name, raw, self.given.get(wanted))
        except SubmissionError as e:
            self.refuse(student, path, str(e), wanted, leaf.modified)
            return
        if name != leaf.name:
            notes = (f"{leaf.name} was read as {name}", *notes)
        self.found.append(
            Version(
                student=student,
                assignment=wanted,
                program=program,
                raw=raw,
                notes=tuple(clean(n) for n in notes),
                leaf=leaf,
                label=f"{place.label}{leaf.name}",
                path=path,
                home=place.home,
                inner=place.inner,
                beside=beside,
                named=named,
                exact=self.exact(name, wanted),
                when=place.when or "",
            )
        )

    def finish(self) -> tuple[list[Submission], list[Refused]]:
        """Names made safe and unique, one version of each kept, everything in order."""
        names = distinct_names({v.student for v in self.found} | {raw for raw, *_ in self.refused})
        several: dict[tuple[str, str], list[Version]] = {}
        for v in self.found:
            several.setdefault((names[v.student], v.assignment), []).append(v)
        kept: dict[tuple[str, str], Submission] = {}
        ages: dict[tuple[str, str], float] = {}
        for (student, wanted), versions in several.items():
            try:
                chosen, notes = pick(versions, self.given.get(wanted), self.known[wanted])
            except SubmissionError as e:
                self.refuse(versions[0].student, versions[0].path, str(e), wanted)
                continue
            kept[student, wanted] = self.submission(student, chosen, notes)
            ages[student, wanted] = chosen.leaf.modified
            self.homes[student, wanted] = chosen.home
        refused: dict[tuple[str, str, str], Refused] = {}
        for raw, record, modified in self.refused:
            record = replace(record, student=names[raw], origin=self.origins.get(raw, {}))
            if raw in self.told and self.told[raw].notes:
                reason = "; ".join((record.reason, *map(clean, self.told[raw].notes)))
                record = replace(record, reason=reason)
            twins = [k for k in kept if k[0] == record.student and record.assignment in ("", k[1])]
            for k in twins:
                told = f"not taken: {record.reason}"
                kept[k] = replace(kept[k], notes=(*kept[k].notes, told))
                if modified > ages[k]:  # what is graded may not be what was meant
                    newer = f"a newer file was {told}"
                    kept[k] = replace(kept[k], attention=(*kept[k].attention, newer))
            if not twins:
                refused[record.student, record.assignment, record.path] = record
        return [kept[k] for k in sorted(kept)], [refused[k] for k in sorted(refused)]

    def submission(self, student: str, chosen: Version, notes: tuple[str, ...]) -> Submission:
        """What goes on its way: the chosen program with the files beside it."""
        files: dict[str, bytes] = {}
        notes = (*chosen.notes, *notes)
        if chosen.beside is not None:
            files, left_out = files_of(chosen.beside, but=chosen.leaf.name)
            if left_out:
                more = f"; and {len(left_out) - 6} more" if len(left_out) > 6 else ""
                notes = (*notes, f"left out: {'; '.join(left_out[:6])}{more}")
        bare = untouched(chosen.program, self.given.get(chosen.assignment))
        told = self.told.get(chosen.student)
        if told is not None:
            notes = (*notes, *told.notes)
        return settled(
            Submission(
                student,
                chosen.assignment,
                chosen.program,
                {**files, chosen.program.main: chosen.raw},
                chosen.when,
                tuple(clean(n) for n in notes),
                self.origins.get(chosen.student, {}),
                (*((UNTOUCHED,) if bare else ()), *(told.attention if told else ())),
            )
        )


def _is_ours(folder: Folder) -> bool:
    """Whether a folder holds what a grading wrote: `grade class -o class/graded`."""
    return "results" in folder.folders and "store.sqlite" in folder.files


def _whose(name: str, names: set[str]) -> str:
    """Whose a loose file of this name is: `alice (1).py` is Alice's, and so is `alice_v2.py` where
    there is an `alice.py`, too. `names` are the names in the class's folder, without suffixes.
    """
    stem = stem_of(name)
    while copied := _COPIED.fullmatch(stem):
        stem = copied["name"].rstrip(" -_\u2013")
    plain = stem
    while renamed := _RENAMED.fullmatch(plain):
        plain = renamed["name"].rstrip(" -_.\u2013")
        if plain in names:
            return plain
    return stem


def _newest_first(
    found: Sequence[tuple[Leaf, Folder, _Place]],
) -> list[tuple[Leaf, Folder, _Place]]:
    """As many of them as are read, the newest first; one at least."""
    by_age = sorted(found, key=lambda f: (-f[0].upload, -f[0].modified, f[2].label, f[0].name))
    sizes = itertools.accumulate(f[0].size for f in by_age)
    fit = sum(size <= PROGRAM_CAP for size in sizes)
    return by_age[: max(1, min(fit, VERSIONS_CAP))]


def _nothing_in(folder: Folder, work: _Work) -> str:
    """Why there is nothing to grade in a folder or archive: what lies there instead."""
    if work.broken:
        return "; ".join(work.broken[:3])
    lies = [f"{clean(n)} ({kind(leaf)})" for n, leaf in folder.files.items()]
    lies += [f"{clean(n)}/ (a folder)" for n in folder.folders]
    lies += [clean(note) for note in folder.notes]
    if not lies:
        return "is an empty folder, with no notebook and no script"
    more = f" and {len(lies) - 4} more" if len(lies) > 4 else ""
    return f"holds no notebook and no script, but {', '.join(lies[:4])}{more}"
