"""What schools' tools pack: one table for Moodle, Brightspace, Blackboard, Sakai, GitHub Classroom,
Teams and Google Classroom.

    Jane Doe_12345_assignsubmission_file/…            Moodle: a folder for each student
    Jane Doe_12345_assignsubmission_file_/…           the same before Moodle 4.1
    Jane Doe_12345_assignsubmission_file_loop.py      without folders
    Participant_12345_assignsubmission_file/…         blind marking; Team A_678_… a group

    104840-170649 - Jane Doe - Nov 26, 2025 933 PM/…  Brightspace: user, assignment's folder, time
    104840-170649 - Jane Doe - Nov 26, 2025 933 PM - loop.py

    Lab 4_jdoe_attempt_2026-10-12-23-58-01_loop.py    Blackboard: title, user, time of the attempt
    Lab 4_jdoe_attempt_2026-10-12-23-58-01.txt        its receipt, which says who jdoe is

    Doe, Jane(jdoe)/Submission attachment(s)/loop.py  Sakai; beside it timestamp.txt and grades.csv
    Doe, Jane(jdoe); Roe, Rob(rroe)/…                 handed in by a group
    Doe, Jane(jdoe)_Submission attachment(s)_loop.py  without folders

    lab-4-submissions/lab-4-jdoe/loop.py              GitHub Classroom: a clone for each student

    Submitted files/Jane Doe/Lab 4/Version 2/loop.py  Teams; drafts lie in "Working files"

    Jane Doe - training_loop.ipynb                    Google Classroom: the folder in Drive

Theory. All of them put a *mark* before what a student handed in, and differ in what it says: who,
when, which attempt. So each is a row of `LAYOUTS`, and one reader does the rest: files are gathered
by identity and attempt and get their own names back, the newest attempt that holds a program
counts, and a note names the others. A number or a user name is the identity where there is one; a
display name is decoration. A time without an offset is in the course's time zone.

What a student chooses must give nobody else's work away. The mark is the tool's own, so it is read
from the front, and the shortest that fits; behind it stands the file's own name, which may hold
another student's mark. Such a file never takes the place of one with a plain name, and where two
files of a student have one name, a person is asked. Of several layouts in one folder the one that
most names have is read first, so that a file's name leads into no other tool's students. Of an
upload Google Classroom says nothing that its student has not chosen: where two programs stand under
one name, a person is asked. The time of a git commit is its author's word; none is taken.

Sources. Moodle: `mod/assign/locallib.php`. Brightspace: the parsers of github.com/cgmb/d2lmf and of
other graders' scripts, of which the newer have times without a colon. Blackboard:
github.com/kwurst/bb-file-cleanup, and jupyter/nbgrader, issues 511 and 724. Sakai: `zipSubmissions`
of `AssignmentServiceImpl.java` in sakaiproject/sakai (folders are called in the site's language;
older times are `20150906235900000`, in UTC). GitHub: `clone student-repos` in github/gh-classroom.
Teams: github.com/lwchkg/teams_assignment_explorer, and Microsoft's "Assignments Admin
Documentation". Google: downloads that teachers' scripts describe; copies made for each student bear
the name, own uploads do not, and are then students by the name of the file.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import tzinfo
from typing import NamedTuple

from ..course.config import instant
from ..errors import SubmissionError
from ..model import Json
from ..text import clean
from . import canvas
from .program import imports_of, is_program, program_name, stem_of
from .times import DAY, spoken
from .tree import MIB, NAME_CAP, Folder, Handed, Leaf, is_archive
from .versions import says_age

GRADES_CAP = 8 * MIB
"""More of Sakai's grades.csv is not read; a class of thousands has one megabyte."""
SHOWN = 8
"""As many of somebody's other attempts are named."""
_MEMBER = re.compile(r"(?P<name>[^();]*,[^();]*)\((?P<user>[^()]{1,120})\)")
_ONE = r"[^();]*,[^();]*\([^()]{1,120}\)"
_GROUP = rf"(?P<members>{_ONE}(?:; {_ONE})*)"
_VERSION = re.compile(r"V[a-zA-Zãó]{3,6} (\d{1,4})")
"""Version 2 of Teams, which is Versión 2, Versione 2, Versie 2 and Versão 2 in other languages."""

Named = Callable[[str], bool]
"""Whether a name speaks of an assignment of the course."""
Marks = tuple["re.Pattern[str] | None", "re.Pattern[str] | None"]
"""The marks of folders, and of files that lie in none."""


class _Mark(NamedTuple):
    """What stands in a mark: user and name of each who handed in, and the tool's word for when;
    `file` is the file's own name, "" where the tool itself wrote it.
    """

    who: tuple[tuple[str, str], ...]
    when: str
    file: str
    typed: bool


@dataclass
class _Attempt:
    """What was handed in together. `label` is the tool's word for when, `time` the same in ISO
    8601, "" where there is none, and `entry` the name in the tool's own folder.
    """

    folder: Folder
    label: str
    time: str
    entry: str
    typed: bool = True
    """Whether nothing but typed text was seen so far; of that nothing is taken."""
    twice: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def take(self, files: dict[str, Leaf], folder: Folder | None = None) -> None:
        """Take files under their own names, which must be the only ones of that name, and what
        lies below `folder`.
        """
        self.typed = False
        for name, leaf in files.items():
            if name in self.folder.files:
                self.twice.append(name)
            self.folder.files[name] = replace(leaf, name=name)
        if folder is not None:
            self.twice += [n for n in folder.folders if n in self.folder.folders]
            self.folder.folders.update(folder.folders)
            self.folder.notes += folder.notes
            self.folder.odd |= folder.odd


def _whole(attempt: _Attempt, folder: Folder) -> None:
    attempt.take(folder.files, folder)


@dataclass(frozen=True)
class Layout:
    """How one tool packs a class.

    `marks` makes the marks from the class's folder. Their groups are `user` (where there is none,
    `name` is the identity) or `members`, `when`, of a file `file`, which is its own name, and of
    a folder `typed`, where it holds no files. `holds` tells a student's folder from one that is
    only called so, and `take` takes from it what was handed in. `sums` reads times for who handed
    in from a file of the tool's. `receipt` is what the tool's own file says of its student.
    """

    tool: str
    title: str
    marks: Callable[[Folder, Named], Marks]
    holds: Callable[[Folder], bool] = lambda folder: True
    take: Callable[[_Attempt, Folder], None] = _whole
    times: Callable[[Folder], dict[str, str]] = lambda tree: {}
    receipt: re.Pattern[str] | None = None
    returned: str = ""
    """How a file goes back to the student, where that is not by the name of what came."""
    claimed: bool = False
    """Whether the names are the students' own choice, so that anybody may take anybody's."""


# -- what is special about one tool ----------------------------------------------------------------


def _always(folder: str, file: str) -> Callable[[Folder, Named], Marks]:
    marks = re.compile(folder) if folder else None, re.compile(file) if file else None
    return lambda tree, named: marks


def _is_sakai(folder: Folder) -> bool:
    return (
        "timestamp.txt" in folder.files
        or any(name.endswith("_submissionText.html") for name in folder.files)
        or any("attachment" in name.casefold() for name in folder.folders)
    )


def _take_attachments(attempt: _Attempt, folder: Folder) -> None:
    """Only what lies in a folder of attachments is the student's; the rest is Sakai's own."""
    for name, sub in folder.folders.items():
        if "feedback" not in name.casefold():
            attempt.take(sub.files, sub)
    if "timestamp.txt" in folder.files:
        text = folder.files["timestamp.txt"].head()[:40].decode("utf-8", "replace")
        attempt.time = spoken(text, None)


def _sakai_times(tree: Folder) -> dict[str, str]:
    """When who handed in, as grades.csv states it in rows of id, user, last name, first name,
    grade and time, under words in the site's language.
    """
    leaf = tree.files.get("grades.csv")
    try:
        text = leaf.read(GRADES_CAP).decode("utf-8-sig", "replace") if leaf is not None else ""
        delimiter = ";" if text.count(";") > text.count(",") else ","
        rows = list(csv.reader(text.replace("\0", "").splitlines(), delimiter=delimiter))
    except (SubmissionError, csv.Error):
        return {}
    times = {row[1].strip(): spoken(row[5], None) for row in rows if len(row) > 5}
    return {user: time for user, time in times.items() if time}


def _versions(folder: Folder) -> dict[int, Folder]:
    """What lies in an assignment's folder of Teams, by the number of the version."""
    numbers = {name: _VERSION.fullmatch(name) for name in folder.folders}
    return {int(m[1]): folder.folders[name] for name, m in numbers.items() if m is not None}


def _is_teams(folder: Folder) -> bool:
    return any(map(_versions, folder.folders.values()))


def _take_versions(attempt: _Attempt, folder: Folder) -> None:
    """Of each assignment the newest version that holds a program, under the assignment's name."""
    newest = Folder(folder.name, dict(folder.folders), {}, folder.notes, folder.odd)
    for title, work in folder.folders.items():
        versions = _versions(work)
        if versions:
            running = [n for n in versions if _runs(versions[n])]
            chosen = max(running or versions)
            newest.folders[title] = versions[chosen]
            others = [f"Version {n}" for n in sorted(versions, reverse=True) if n != chosen]
            attempt.notes += _told(f"{clean(title)}: Version {chosen}", others)
    attempt.take(folder.files, newest)


def _teams(tree: Folder, _: Named) -> Marks:
    fits = any(map(_is_teams, tree.folders.values()))
    return re.compile(r"(?P<name>.+)") if fits else None, None


def _github(tree: Folder, named: Named) -> Marks:
    """Behind the assignment's slug, with which each repository's name begins, stands the user."""
    slug = tree.name.removesuffix("-submissions")
    if slug == tree.name:
        heads = Counter(n[: m.start()] for n in tree.folders for m in re.finditer("-", n))
        common = [h for h, n in heads.items() if 1 < n == len(tree.folders) and named(h)]
        slug = "" if any(map(says_age, tree.folders)) else max(common, key=len, default="")
    return re.compile(re.escape(slug) + r"-(?P<user>[A-Za-z0-9-]{1,60})") if slug else None, None


def _classroom(tree: Folder, named: Named) -> Marks:
    """A student's name stands before a title that is an assignment's, or that several share."""
    mark = re.compile(r"(?P<name>.+?) - (?P<file>.+)")
    parted = [mark.fullmatch(n) for n in tree.files if len(n) <= NAME_CAP and _is_work(n)]
    pairs = {(stem_of(m["file"]), m["name"]) for m in parted if m is not None}
    several = Counter(title for title, _ in pairs)
    titles = {t for t, n in several.items() if named(t) or (n > 1 and not says_age(t))}
    names = "|".join(sorted(re.escape(name) for title, name in pairs if title in titles))
    return None, re.compile(rf"(?P<name>{names}) - (?P<file>.+)") if names else None


LAYOUTS = (
    Layout(
        "moodle",
        "Moodle",
        _always(
            r"(?P<name>.+)_(?P<user>[0-9]{1,20})_assignsubmission_(?:file|(?P<typed>onlinetext))_?",
            r"(?P<name>.+?)_(?P<user>[0-9]{1,20})_assignsubmission_"
            r"(?:file_(?P<file>.+)|onlinetext_.+)",
        ),
        returned="{name}_{user}_assignsubmission_file",
    ),
    Layout(
        "brightspace",
        "Brightspace",
        _always(
            r"(?P<user>[0-9]{1,20})-[0-9]{1,20} - (?P<name>.+) - (?P<when>.+)",
            r"(?P<user>[0-9]{1,20})-[0-9]{1,20} - (?P<name>.+?)"
            rf" - (?P<when>{DAY}) - (?P<file>.+)",
        ),
    ),
    Layout(
        "blackboard",
        "Blackboard",
        _always("", r"(?P<user>.+?)_attempt_(?P<when>\d{4}(?:-\d\d){5})(?:_(?P<file>.+)|\.txt)"),
        receipt=re.compile(r"\s*Name: *(?P<name>[^\r\n]*\S) *\((?P<user>[^()\r\n]+)\)"),
    ),
    Layout(
        "sakai",
        "Sakai",
        _always(
            rf"{_GROUP}|(?P<user>[0-9a-f]{{8}}(?:-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}) .+",
            rf"{_GROUP}_(?:[^_]*[Ff]eedback[^_]*_.+|[^_]+_(?P<file>.+)|[^_]*\.(?:html|txt))",
        ),
        holds=_is_sakai,
        take=_take_attachments,
        times=_sakai_times,
    ),
    Layout("github", "GitHub Classroom", _github),
    Layout("teams", "Teams", _teams, holds=_is_teams, take=_take_versions),
    Layout("classroom", "Google Classroom", _classroom, claimed=True),
)


# -- one reader for all ----------------------------------------------------------------------------


def gather(tree: Folder, named: Named, zone: tzinfo | None) -> tuple[list[Handed], Folder]:
    """The students whom a tree's top level names in a tool's way, and the tree without them.

    `named` tells names that speak of an assignment of the course, whose time zone is `zone`.
    """
    tree = _without_drafts(tree)
    readers: list[tuple[int, Callable[[Folder], tuple[list[Handed], Folder]]]] = [
        (sum(canvas.parse(name) is not None for name in tree.files), canvas.gather)
    ]
    for layout in LAYOUTS:
        reader = _Reader(layout, layout.marks(tree, named), zone)
        readers.append((sum(1 for _ in reader.marked(tree)), reader.gather))
    found: list[Handed] = []
    for count, read in sorted(readers, key=lambda r: -r[0]):
        if count:
            students, tree = read(tree)
            found += students
    return found, tree


def _without_drafts(tree: Folder) -> Folder:
    """What was handed in, of a class's folder of Teams that holds drafts of the same students."""
    if tree.files or len(tree.folders) != 2:
        return tree
    for handed in tree.folders.values():
        (drafts,) = (f for f in tree.folders.values() if f is not handed)
        students = [n for n, f in handed.folders.items() if _is_teams(f)]
        if students and not any(map(_is_teams, drafts.folders.values())):
            return handed
    return tree


@dataclass
class _Student:
    """One identity: a person, or a group that hands in together."""

    who: tuple[tuple[str, str], ...]
    attempts: dict[str, _Attempt] = field(default_factory=dict)


class _Reader:
    """Reads one layout. `marks` are those of the class's folder."""

    def __init__(self, layout: Layout, marks: Marks, zone: tzinfo | None) -> None:
        self.layout, self.zone = layout, zone
        self.of_folder, self.of_file = marks

    def marked(self, tree: Folder) -> Iterator[tuple[str, _Mark]]:
        """The names in a tree that bear a mark, each with what it says."""
        for name, folder in tree.folders.items():
            said = _read(self.of_folder, name)
            if said is not None and self.layout.holds(folder):
                yield name, said
        for name in tree.files:
            said = _read(self.of_file, name)
            if said is not None:
                yield name, said

    def gather(self, tree: Folder) -> tuple[list[Handed], Folder]:
        """The students, and the tree without them."""
        rest = Folder(tree.name, dict(tree.folders), dict(tree.files), tree.notes, tree.odd)
        times = self.layout.times(tree)
        students: dict[tuple[str, ...], _Student] = {}
        names: dict[str, tuple[str, str]] = {}
        for name, mark in self.marked(tree):
            identity = tuple(user for user, _ in mark.who)
            one = students.setdefault(identity, _Student(mark.who))
            attempt = one.attempts.get(mark.when)
            if attempt is None:
                time = spoken(mark.when, self.zone) or times.get(identity[0], "")
                attempt = _Attempt(Folder(name), mark.when, time, name)
                one.attempts[mark.when] = attempt
            if name in rest.folders:
                folder = rest.folders.pop(name)
                if not mark.typed:
                    self.layout.take(attempt, folder)
                continue
            leaf = rest.files.pop(name)
            if mark.file:
                attempt.take({mark.file: leaf})
            elif self.layout.receipt is not None:
                said = self.layout.receipt.match(leaf.head().decode("utf-8", "replace"))
                if said is not None and f"_{identity[0]}".endswith(f"_{said['user']}"):
                    names[identity[0]] = said["user"], said["name"]
        if self.layout.receipt is not None:
            ends = Counter(_login(identity[0]) for identity in students)
            for identity, one in students.items():
                login = _login(identity[0])
                alone = identity[0] if ends[login] > 1 else login
                one.who = (names.get(identity[0], (alone, "")),)
        return [made for one in students.values() for made in self.handed(one)], rest

    def handed(self, one: _Student) -> Iterator[Handed]:
        """What each of those who handed in together has handed in."""
        attempts = sorted(
            one.attempts.values(),
            key=lambda a: (bool(a.time), a.time and instant(a.time).timestamp()),
        )
        running = [a for a in attempts if _runs(a.folder)]
        chosen = (running or attempts)[-1]
        others = [clean(a.label) for a in reversed(attempts) if a is not chosen]
        notes = [*chosen.notes, *_told(f"that of {clean(chosen.label)}", others)]
        attention: tuple[str, ...] = ()
        if chosen is not attempts[-1]:
            attention = (f"what was handed in last, {clean(attempts[-1].label)}, holds no program",)
        if chosen.label and not chosen.time:
            notes.append(f"its time, {clean(chosen.label)[:60]}, cannot be read")
        folder, why = chosen.folder, ""
        plain = {n: leaf for n, leaf in folder.files.items() if _read(self.of_file, n) is None}
        if plain and len(plain) < len(folder.files):
            for name in folder.files.keys() - plain.keys():
                folder.leave(name, "its name holds the mark of another student")
            folder.files = plain
        if chosen.typed:
            why = f"was typed into {self.layout.title}, not handed in as a file"
        if len(attempts) > 1 and not all(a.time for a in attempts):
            why = (
                f"was handed in {len(attempts)} times, and not all the times can be read "
                "(ask which one counts, and remove the others)"
            )
        twice = chosen.twice or (self._claims(folder) if self.layout.claimed else [])
        names = ", ".join(sorted(map(clean, set(twice))))
        if twice and self.layout.claimed:
            why = (
                f"{self.layout.title} does not say who handed in each of {names} "
                "(ask, and keep one)"
            )
        elif twice:
            why = f"two files are called {names} (ask which one counts, and remove the other)"
        for user, name in one.who:
            student = f"{name.strip()}_{user}" if name and name != user else user
            returned = self.layout.returned.format(name=name, user=user)
            origin: dict[str, Json] = {"tool": self.layout.tool, "user": user}
            if name:
                origin["name"] = name
            origin["file"] = returned or chosen.entry
            if len(one.who) > 1:
                origin["group"] = [clean(n or u) for u, n in one.who]
            yield Handed(
                student,
                replace(folder, name=student),
                origin,
                why,
                chosen.time,
                tuple(notes),
                attention,
            )

    def _claims(self, folder: Folder) -> list[str]:
        """The programs of a name that anybody may have given, where one of them would replace
        another: those of them that no other one imports.
        """
        programs = {n: leaf for n, leaf in folder.files.items() if _is_work(n)}
        used = frozenset().union(*map(imports_of, programs.values()))
        whole = [n for n in programs if stem_of(n) not in used]
        return whole if len(whole) > 1 else []


def _read(pattern: re.Pattern[str] | None, name: str) -> _Mark | None:
    """What a mark says that `name` begins with, None where there is none."""
    said = pattern.fullmatch(name) if pattern is not None and len(name) <= NAME_CAP else None
    if said is None:
        return None
    words = said.groupdict()
    who = tuple(
        (m["user"], m["name"].strip(" ,;")) for m in _MEMBER.finditer(words.get("members") or "")
    )
    user, called = words.get("user") or "", words.get("name") or ""
    who = who or ((user or called.strip(), called),)
    return _Mark(who, words.get("when") or "", words.get("file") or "", bool(words.get("typed")))


def _login(identity: str) -> str:
    """The user's name behind a title, where it holds no `_` of its own."""
    return identity.rpartition("_")[2]


def _told(chosen: str, others: Sequence[str]) -> list[str]:
    """The note that names somebody's other attempts."""
    if not others:
        return []
    more = f" and {len(others) - SHOWN} more" if len(others) > SHOWN else ""
    return [
        f"handed in {len(others) + 1} times: {chosen} counts, not {'; '.join(others[:SHOWN])}{more}"
    ]


def _is_work(name: str) -> bool:
    return is_program(name) or is_archive(name)


def _runs(folder: Folder) -> bool:
    """Whether there may be a program in a folder."""
    return any(
        is_archive(leaf.name) or program_name(leaf) is not None for leaf in folder.files.values()
    ) or any(map(_runs, folder.folders.values()))
