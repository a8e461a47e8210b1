"""What a program needs of the files that lie beside it: to be carried into a box with it.

Theory. Nothing is run to find out. A program's text says what it may need: the modules that it
imports, in packages and relatively too, the paths among its strings, which may be written with
`./`, put together from parts or end in a pattern, and those in its arguments and in the settings
files that it reads. What of that is there, within the program's own folder, is carried along, and
what is carried is read in turn. A folder comes with all that is in it, or, where that is too much,
empty: a program that reads half of its images says nothing true. A folder that a path leads to is
there in any case, so that what is written there has a place.
"""

from __future__ import annotations

import ast
import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..model import Program

FILES_CAP, BYTES_CAP, TEXT_CAP, NAME_CAP = 200, 64 << 20, 1 << 20, 300
SETTINGS = (".json", ".yaml", ".yml", ".toml", ".cfg", ".ini", ".txt")
_PATH = re.compile(r"[\w.][\w./-]*")
_MODULE = re.compile(r"\.*[A-Za-z_][\w.]*")
_PATTERN = re.compile(r"[*?\[{]")
_LEFT_OUT = re.compile(r"(^|/)(\.|__pycache__(/|$))")
"""Hidden files, and what Python keeps for itself."""


@dataclass
class Beside:
    """The files of a program, by their paths below its folder; the `folders` that must be there;
    and those folders whose content was too `large`.
    """

    files: dict[str, bytes]
    folders: set[str] = field(default_factory=set)
    large: set[str] = field(default_factory=set)

    def room(self, files: int, size: int) -> bool:
        """Whether so many more files, of so many bytes together, can be carried."""
        held = sum(map(len, self.files.values()))
        return len(self.files) + files <= FILES_CAP and held + size < BYTES_CAP


def beside(path: Path, program: Program, argv: Sequence[str] = ()) -> Beside:
    """What lies beside the program at `path` and is needed by it. Its own file is among it: a
    process that is started anew reads it from there.
    """
    home = path.resolve().parent
    found = Beside({path.name: path.read_bytes()})
    todo = [place for cell in program.cells for place in _mentioned(cell, "")]
    todo += [place for word in argv for place in _paths(word.rpartition("=")[2], "")]
    seen: set[str] = set()
    while todo:
        place = todo.pop(0)
        if place in seen or len(place) >= NAME_CAP:
            continue
        seen.add(place)
        if not (home / place).resolve().is_relative_to(home):  # by a link, say
            continue
        if (home / place).is_file():
            todo += _file(home, place, found)
        elif (home / place).is_dir():
            todo += _folder(home, place, found)
        else:
            todo += _near(home, place, found)
    return found


def _file(home: Path, place: str, found: Beside) -> list[str]:
    """Carry a file, where there is room; what its text mentions."""
    file = home / place
    if place in found.files or not found.room(1, file.stat().st_size):
        return []
    raw = found.files[place] = file.read_bytes()
    text, suffix, folder = raw.decode("utf-8", "replace"), file.suffix.lower(), _parent(place)
    if suffix == ".py":
        return list(_mentioned(text, folder))
    if suffix in SETTINGS and len(raw) <= TEXT_CAP:
        words = dict.fromkeys(w for w in _PATH.findall(text) if "/" in w or "." in w)
        return [p for w in words for p in _paths(w, folder)]
    return []


def _folder(home: Path, place: str, found: Beside) -> list[str]:
    """A folder, with all that is in it or empty."""
    found.folders.add(place)
    files: list[str] = []
    size = 0
    for file in sorted((home / place).rglob("*")):
        name = file.relative_to(home).as_posix()
        if _LEFT_OUT.search(name) or name in found.files or not file.is_file():
            continue
        files.append(name)
        size += file.stat().st_size
        if not found.room(len(files), size):
            found.large.add(place)
            return []
    return files


def _near(home: Path, place: str, found: Beside) -> list[str]:
    """A path to nothing: a pattern, the beginning of a name, or a name yet to be written."""
    folder, name = _parent(place), posixpath.basename(place)
    if not folder or not (home / folder).is_dir():
        return []
    found.folders.add(folder)
    begins = _PATTERN.split(name)[0]
    if not begins:
        return [folder]
    return [f"{folder}/{p.name}" for p in sorted((home / folder).glob(f"{begins}*"))]


def _parent(place: str) -> str:
    return posixpath.dirname(place)


def _mentioned(text: str, package: str) -> Iterator[str]:
    """The places that the text of a program may mean, or of a module in the folder `package`."""
    for node in ast.walk(_parsed(text)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from _modules("", alias.name.split("."))
        elif isinstance(node, ast.ImportFrom):
            base = _above(package, node.level - 1) if node.level else ""
            module = node.module.split(".") if node.module else []
            for parts in (module, *([*module, a.name] for a in node.names)):
                yield from _modules(base, parts)
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "run_cell_magic":
            for cell in node.args[2:]:
                if isinstance(cell, ast.Constant) and isinstance(cell.value, str):
                    yield from _mentioned(cell.value, package)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from _paths(node.value, package)


def _above(package: str, levels: int) -> str:
    for _ in range(levels):
        package = _parent(package)
    return package


def _parsed(text: str) -> ast.AST:
    """A program's text as a tree; a cell with magics as what IPython makes of it."""
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        pass
    from IPython.core.inputtransformer2 import TransformerManager

    try:
        reader: Any = TransformerManager
        tree: ast.AST = ast.parse(reader().transform_cell(text))
    except (SyntaxError, ValueError, RecursionError):
        return ast.Module([], [])
    return tree


def _modules(base: str, parts: Sequence[str]) -> Iterator[str]:
    """The files of a module within the folder `base`: each package on the way, and itself."""
    steps = [posixpath.join(base, *parts[:i]) for i in range(len(parts) + 1)]
    yield from (f"{step}/__init__.py" for step in steps if step)
    if parts and parts[-1] != "*":
        yield f"{steps[-1]}.py"


def _paths(text: str, package: str) -> Iterator[str]:
    """The places that a string may mean: a path, below the program's folder or that of the module
    it stands in, or the name of a module, or of its package where it ends in a dot.
    """
    text = text.strip()
    if not text or len(text) >= NAME_CAP or not text.isprintable():
        return
    place = posixpath.normpath(text.replace("\\", "/").lstrip("/") or ".")
    if not place.startswith("."):
        for base in dict.fromkeys(("", package)):
            yield posixpath.join(base, place)
    if _MODULE.fullmatch(text):
        parts = [p for p in text.split(".") if p]
        for base in dict.fromkeys(("", package)):
            yield from _modules(base, parts)
            if text.endswith("."):
                yield posixpath.join(base, *parts)
