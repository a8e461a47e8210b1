"""Canvas's zip of submissions.

    doejane_1234_5678_training_loop.ipynb          name, user, attachment, original name
    doejane_LATE_1234_5678_training_loop-2.ipynb   late; the third upload under that name
    anon_x1Yz9_5678_training_loop.py               anonymous grading; LATE_ may stand in front
    doejane_1234_text.html                         typed or linked, not uploaded

Theory. Canvas flattens everything into one folder of long names; the numbers in them are the
identity, the name is decoration. So files are gathered by user, get their original names back
(a program imports `helper`, not `doejane_1234_5678_helper-1`), and of several uploads under one
name the newest counts.
"""

from __future__ import annotations

import re
from dataclasses import replace

from ..text import clean
from .program import is_program, of_the_class
from .tree import NAME_CAP, Folder, Handed, Leaf, is_archive

_REST = (
    r"((?P<attachment>[0-9]{1,20})_(?P<file>.+)|(?P<typed>(text|link|question_[0-9]+.*)\.html?))"
)
_NAMED = re.compile(
    r"(?P<name>.+?)(?P<late>[ _-]+late)?_(?P<user>[0-9]{1,20})_" + _REST, re.IGNORECASE
)
_ANONYMOUS = re.compile(
    r"(?P<late>late_)?(?P<name>anon)_(?P<user>[a-z0-9]{1,40})_" + _REST, re.IGNORECASE
)
_AGAIN = re.compile(r"(?P<stem>.+?)-(?P<n>[1-9]\d{0,2})(?P<suffix>(\.\w+){1,2})")


def parse(name: str) -> re.Match[str] | None:
    """What a name out of Canvas's zip says, None for any other name."""
    if len(name) > NAME_CAP:
        return None
    return _ANONYMOUS.fullmatch(name) or _NAMED.fullmatch(name)


def gather(tree: Folder) -> tuple[list[Handed], Folder]:
    """The students of a flat folder of Canvas's names, each with the files under their own names,
    and the tree without them. Where no more than half of the files are so named, there are none.
    """
    by_user: dict[str, list[tuple[re.Match[str], Leaf]]] = {}
    rest = Folder(tree.name, tree.folders, {}, tree.notes, tree.odd)
    for name, leaf in tree.files.items():
        said = parse(name)
        if said is None:
            rest.files[name] = leaf
        else:
            by_user.setdefault(said["user"], []).append((said, leaf))
    others = sum(not of_the_class(leaf.name) for leaf in rest.files.values())
    if len(tree.files) - len(rest.files) <= others:
        return [], tree
    return [_student(own) for own in by_user.values()], rest


def _student(own: list[tuple[re.Match[str], Leaf]]) -> Handed:
    said = own[0][0]
    student = f"{said['name']}_{said['user']}"
    folder = Folder(student)
    uploads = [(m, leaf) for m, leaf in own if m["file"] is not None]
    newest: dict[str, tuple[int, int, str, Leaf]] = {}
    for m, leaf in uploads:
        name, n = m["file"], 0
        again = _AGAIN.fullmatch(name)
        if again is not None and _runs(again["suffix"]):
            name, n = again["stem"] + again["suffix"], int(again["n"])
        found = (n, int(m["attachment"]), m["file"], leaf)
        older = newest.get(name)
        if older is not None:
            found, older = max(found, older, key=_age), min(found, older, key=_age)
            folder.notes.append(f"{clean(older[2])} (uploaded again as {clean(found[2])})")
        newest[name] = found
    for name, (_, attachment, _, leaf) in newest.items():
        # Canvas keeps no times, but numbers what it is given as it comes
        folder.files[name] = replace(leaf, name=name, upload=attachment)
    for m, leaf in uploads:  # data that a program opens may have been numbered by its author
        again = _AGAIN.fullmatch(m["file"])
        if again is not None and not _runs(again["suffix"]):
            plain = again["stem"] + again["suffix"]
            folder.files.setdefault(plain, replace(leaf, name=plain))
    latest = max(newest.values(), key=lambda u: (_runs(u[2]), *_age(u)), default=None)
    origin = {
        "tool": "canvas",
        "user": said["user"] if said["name"].lower() != "anon" else student,
        "file": (latest[3] if latest else own[0][1]).name,
        "late": any(m["late"] for m, _ in own),
    }
    why = "" if uploads else "was typed in or linked in Canvas, not uploaded as a file"
    return Handed(student, folder, origin, why)


def _runs(name: str) -> bool:
    """Whether a file of this name is work that can be graded, and not data of the student's own."""
    return is_program(f"x{name}") or is_archive(f"x{name}")


def _age(upload: tuple[int, int, str, Leaf]) -> tuple[int, int]:
    return upload[:2]
