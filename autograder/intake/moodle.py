"""Moodle's submissions of an assignment, as a zip or a folder.

    Jane Doe_12345_assignsubmission_file/training_loop.ipynb    a folder per student
    Jane Doe_12345_assignsubmission_file_/training_loop.ipynb   the same before Moodle 4.1
    Jane Doe_12345_assignsubmission_file_training_loop.ipynb    without folders
    Participant_12345_assignsubmission_file/…                   blind marking
    Team A_678_assignsubmission_file/…                          handed in by a group

Theory. The number is the identity. Of a file without a folder the first number counts: what stands
behind its mark is the file's own name, which the student chose and which may hold another student's
mark. Such a file never takes the place of one with a plain name, and where two files of a student
have one name, a person is asked.
"""

from __future__ import annotations

import re
from dataclasses import replace

from ..text import clean
from .tree import NAME_CAP, Folder, Handed, Leaf

_FOLDER = re.compile(
    r"(?P<name>.+)_(?P<user>[0-9]{1,20})_assignsubmission_(?P<kind>file|onlinetext)_?"
)
_FLAT = re.compile(
    r"(?P<name>.+?)_(?P<user>[0-9]{1,20})_assignsubmission_(?P<kind>file|onlinetext)_(?P<file>.+)"
)


def is_students(name: str) -> bool:
    """Whether a folder's name is one that Moodle gives to a student's."""
    return _FOLDER.fullmatch(name) is not None


def gather(tree: Folder) -> tuple[list[Handed], Folder]:
    """The students that a tree's top level names in Moodle's way, and the tree without them."""
    rest = Folder(tree.name, notes=tree.notes, odd=tree.odd)
    by_user: dict[str, _Student] = {}

    def own(said: re.Match[str]) -> _Student:
        one = by_user.setdefault(said["user"], _Student(said["name"], said["user"]))
        one.typed = one.typed and said["kind"] != "file"
        return one

    for name, folder in tree.folders.items():
        said = _FOLDER.fullmatch(name) if len(name) <= NAME_CAP else None
        if said is None:
            rest.folders[name] = folder
            continue
        one = own(said)
        if said["kind"] == "file":
            for file, leaf in folder.files.items():
                one.take(file, leaf)
            one.twice += [n for n in folder.folders if n in one.folder.folders]
            one.folder.folders.update(folder.folders)
            one.folder.notes += folder.notes
            one.folder.odd |= folder.odd
    for name, leaf in tree.files.items():
        flat = _FLAT.fullmatch(name) if len(name) <= NAME_CAP else None
        if flat is None:
            rest.files[name] = leaf
        elif flat["kind"] == "file":
            own(flat).take(flat["file"], leaf)
        else:
            own(flat)
    return [one.handed() for one in by_user.values()], rest


class _Student:
    """What lies there of one participant."""

    def __init__(self, name: str, user: str) -> None:
        self.name, self.user = name, user
        self.folder = Folder(f"{name.strip()}_{user}")
        self.typed = True
        """Whether nothing but typed text was seen so far; of that nothing is taken."""
        self.twice: list[str] = []

    def take(self, name: str, leaf: Leaf) -> None:
        """Take a file under its own name, which must be the only one of that name."""
        if name in self.folder.files:
            self.twice.append(name)
        self.folder.files[name] = replace(leaf, name=name)

    def handed(self) -> Handed:
        plain = {n: leaf for n, leaf in self.folder.files.items() if _FLAT.fullmatch(n) is None}
        if plain and len(plain) < len(self.folder.files):
            for name in self.folder.files.keys() - plain.keys():
                self.folder.leave(name, "its name holds the mark of another student")
            self.folder.files = plain
        why = "was typed into Moodle, not handed in as a file" if self.typed else ""
        if self.twice:
            names = ", ".join(sorted(map(clean, set(self.twice))))
            why = f"two files are called {names} (ask which one counts, and remove the other)"
        origin = {
            "tool": "moodle",
            "user": self.user,
            "name": self.name,
            "file": f"{self.name}_{self.user}_assignsubmission_file",
        }
        return Handed(self.folder.name, self.folder, origin, why)
