"""Gradescope's "Download Submissions": who handed in which folder, and when.

    assignment_8046601_export/
      submission_metadata.yml         who and when, by folder
      submission_409194023/           the active submission of a student or a group
        training_loop.ipynb
      submission_409194999/…

    submission_409194023:
      :submitters:                    several where a group handed in
      - :name: Jane Doe
        :sid: '12345'
        :email: jane@example.edu
      :created_at: 2026-04-26 17:34:00.861687000 Z
      :score: 18.0                    what Gradescope's own autograder gave; not looked at
      :results: {…}
      :history: […]                   earlier submissions: their times and results, no files

Theory. The file is Ruby's YAML: keys are symbols, a time may be an object of a Ruby class, and
`:results` holds whatever students' programs printed, over megabytes. So it is never turned into
objects: it is read event by event, however deep, and the few scalars that are wanted are told by
their paths. Names are students' own words and only shown; a student is told apart by number and
address, for a number may be one's own word, too. Each member of a group gets the group's work and
time. A `timestamp.txt` in a folder is the student's and says nothing here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

import yaml

from ..errors import SubmissionError
from ..model import Json
from ..text import clean
from .tree import MIB, NAME_CAP, Folder, Handed

METADATA = "submission_metadata.yml"
METADATA_CAP = 256 * MIB
_OUTER = re.compile(r"assignment_\d+_export", re.IGNORECASE)
GROUP_CAP = 50
"""More members than this no group has; what is beyond is not read."""
_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(\.\d{1,9})? ?(Z|UTC|[+-]\d\d:?\d\d)?", re.ASCII
)
# The parser in C is a hundred times as fast, where PyYAML was built with it.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass
class _Entry:
    """What the file says of one folder."""

    submitters: list[dict[str, str]] = field(default_factory=list)
    when: str = ""
    earlier: int = 0


@dataclass
class _Frame:
    """A collection that is being read: the key, or the position, of what comes next in it."""

    mapping: bool
    is_key: bool
    key: str | None = None
    at: int = 0


def is_export(tree: Folder) -> bool:
    """Whether a folder holds what tells of Gradescope's submissions."""
    return METADATA in tree.files


def is_outer(tree: Folder) -> bool:
    """Whether a folder is the one around an export, by its name, too: a student's folder may hold
    a file that looks like Gradescope's.
    """
    return is_export(tree) and _OUTER.fullmatch(tree.name) is not None


def gather(tree: Folder) -> tuple[list[Handed], Folder]:
    """The students of an export, and what of the tree its metadata does not name.

    Raises `SubmissionError` where there is such a file and it cannot be read.
    """
    if not is_export(tree):
        return [], tree
    entries = _entries(tree)
    newest: dict[tuple[str, str], tuple[str, str, Handed]] = {}
    older: dict[tuple[str, str], list[str]] = {}
    for key, entry in entries.items():
        for submitter in entry.submitters or [{}]:
            sid, email = submitter.get("sid", ""), submitter.get("email", "").casefold()
            who = (sid, email) if sid or email else (key, "")
            made = (entry.when, key, _handed(tree, key, entry, submitter, sid or email or key))
            before = newest.get(who)
            if before is not None:
                made, before = max(made, before, key=_age), min(made, before, key=_age)
                older.setdefault(who, []).append(before[1])
            newest[who] = made
    for who, keys in older.items():
        newest[who][2].folder.notes.extend(f"{clean(k)} (an older submission)" for k in keys)
    rest = Folder(
        tree.name,
        {n: f for n, f in tree.folders.items() if n not in entries},
        {n: f for n, f in tree.files.items() if n != METADATA and n not in entries},
        tree.notes,
        tree.odd,
    )
    return [handed for _, _, handed in newest.values()], rest


def _age(made: tuple[str, str, Handed]) -> tuple[str, int, str]:
    return made[0], len(made[1]), made[1]


def _handed(tree: Folder, key: str, entry: _Entry, submitter: dict[str, str], user: str) -> Handed:
    name = submitter.get("name", "")
    student = f"{name}_{user}" if name and user != name else user
    folder, why = Folder(student), ""
    if key in tree.folders:
        own = tree.folders[key]
        folder = Folder(student, own.folders, own.files, list(own.notes), own.odd)
    elif key in tree.files:  # an assignment for PDFs has a file for each student
        folder.files[key] = tree.files[key]
    else:
        why = f"is named in {METADATA}, but is not in the export"
    if entry.earlier:
        times = "submission" if entry.earlier == 1 else "submissions"
        folder.notes.append(f"{entry.earlier} earlier {times} (Gradescope exports the active one)")
    origin: dict[str, Json] = {"tool": "gradescope", "user": clean(user), "file": clean(key)}
    if submitter.get("email"):
        origin["emails"] = [clean(submitter["email"])]
    if len(entry.submitters) > 1:
        origin["group"] = [clean(s.get("name", "")) for s in entry.submitters]
    return Handed(student, folder, origin, why, entry.when)


# -- the file ------------------------------------------------------------------------------------


def _entries(tree: Folder) -> dict[str, _Entry]:
    """What the metadata says, by folder. Raises `SubmissionError`."""
    text = tree.files[METADATA].read(METADATA_CAP).decode("utf-8", "replace")
    found: dict[str, _Entry] = {}
    try:
        for path, value in _scalars(text):
            if len(path) < 2 or len(path[0]) > NAME_CAP:
                continue
            entry = found.setdefault(path[0], _Entry())
            match [part.removeprefix(":") for part in path[1:]]:
                case ["submitters", at, key] if at.isdecimal() and int(at) < GROUP_CAP:
                    while len(entry.submitters) <= int(at):
                        entry.submitters.append({})
                    if value not in ("", "~", "null"):
                        entry.submitters[int(at)][key] = value[:NAME_CAP]
                case ["created_at"] | ["created_at", "utc"]:
                    entry.when = _time(value)
                case ["history", at, *_] if at.isdecimal():
                    entry.earlier = int(at) + 1
    except (yaml.YAMLError, ValueError) as e:
        raise SubmissionError(
            f"cannot be read: {clean(str(e))[:200]}",
            where=METADATA,
            remedy="download the export again",
        ) from e
    if not found:
        raise SubmissionError(
            "names no submission", where=METADATA, remedy="download the export again"
        )
    return found


def _scalars(text: str) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every scalar of a YAML text with its path: the keys, and positions in lists, around it."""
    frames: list[_Frame] = []
    anchors: dict[str, str] = {}
    for event in yaml.parse(text, Loader=_LOADER):
        if isinstance(event, yaml.CollectionEndEvent):
            if not frames.pop().is_key:
                _next(frames)
        elif isinstance(event, yaml.NodeEvent):
            top = frames[-1] if frames else None
            wants_key = top is not None and top.mapping and top.key is None
            if isinstance(event, yaml.CollectionStartEvent):
                if top is not None and wants_key:
                    top.key = ""
                mapping = isinstance(event, yaml.MappingStartEvent)
                frames.append(_Frame(mapping, wants_key))
                continue
            if isinstance(event, yaml.ScalarEvent):
                value = event.value
                anchors[event.anchor or ""] = value[:NAME_CAP]
            else:  # an alias, which says nothing here where it stands for a collection
                value = anchors.get(event.anchor or "", "")
            if top is not None and wants_key:
                top.key = value
            else:
                yield tuple(f.key or "" if f.mapping else str(f.at) for f in frames), value
                _next(frames)


def _next(frames: list[_Frame]) -> None:
    """The value of a key or position is complete."""
    if frames:
        frames[-1].key = None
        frames[-1].at += 1


def _time(text: str) -> str:
    """A time as Ruby writes it, in ISO 8601; "" where it is none. Without an offset it is UTC."""
    said = _TIME.fullmatch(text.strip())
    if said is None:
        return ""
    day, clock, fraction, offset = said.groups()
    shift = "+00:00" if offset in (None, "Z", "UTC") else offset
    try:
        when = datetime.fromisoformat(f"{day}T{clock}{(fraction or '')[:7]}{shift}")
        return when.astimezone(UTC).isoformat()
    except (ValueError, OverflowError):
        return ""
