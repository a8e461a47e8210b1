"""What stands in an assignment's own folder beside its assignment.yml, and is Python.

    checks.py          judges that only this assignment needs, and generators of secret inputs
    public_checks.py   the same for its public checks: this goes into the release
    probes.py          what runs in the box beside the student's program: it goes into the release
                       where public_checks.py does, and holds no expected value

Any of them may be absent. The first two may import further files of the folder relatively, and the
package absolutely (`from autograder.checks import Context, Outcome, check, probe`). A `use:` of the
assignment names a check of theirs by its function's name.

probes.py is no module of the grader's: its text goes into the box with the program, and a request
for `own:function` is answered by that function of it. It is written as a module of `inside/probes`
(`from ..program import Program`).
"""

from __future__ import annotations

import ast
import hashlib
import importlib
import importlib.util
import sys
import traceback
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any

from ..course.config import Assignment
from ..errors import ConfigError
from .base import StandardCheck

CHECKS, PUBLIC, PROBES = "checks.py", "public_checks.py", "probes.py"
_PACKAGE = "five_beats_assignment_"
"""How the folders are called among Python's modules; a digest of path and contents follows."""


def files(folder: Path | None) -> dict[str, bytes]:
    """The assignment's own Python files by name; none where it has no folder."""
    if folder is None:
        return {}
    return {p.name: p.read_bytes() for p in sorted(folder.glob("*.py")) if p.is_file()}


def digest(folder: Path | None) -> str:
    """A name for the bytes of all of them; "" for none."""
    own = files(folder)
    if CHECKS not in own and PUBLIC not in own and PROBES not in own:
        return ""
    h = hashlib.sha256()
    for name, raw in own.items():
        h.update(f"{name}\0{len(raw)}\0".encode() + raw)
    return h.hexdigest()[:16]


def probes(assignment: Assignment) -> str:
    """The text of the assignment's probes.py, "" where it has none. Raises `ConfigError`."""
    folder = assignment.folder
    if folder is None or not (folder / PROBES).is_file():
        return ""
    try:
        text = (folder / PROBES).read_text(encoding="utf-8")
        _functions(text)
    except SyntaxError as e:
        raise ConfigError(
            f"is not Python: {e.msg}", where=folder / PROBES, line=e.lineno, remedy="mend it"
        ) from e
    except (OSError, UnicodeDecodeError) as e:
        raise ConfigError(f"cannot be read: {e}", where=folder / PROBES) from e
    return text


def asks(assignment: Assignment, function: str) -> bool:
    """Whether the assignment's probes.py defines a function of this name."""
    return function in _functions(probes(assignment))


@lru_cache(maxsize=64)
def _functions(text: str) -> frozenset[str]:
    return frozenset(n.name for n in ast.parse(text).body if isinstance(n, ast.FunctionDef))


def names(assignment: Assignment, *, public: bool = False) -> Mapping[str, Any]:
    """What checks.py and public_checks.py define, by name; with `public` the second alone.

    Raises `ConfigError` where one of them cannot be imported.
    """
    if assignment.folder is None:
        return MappingProxyType({})
    return _names(assignment.folder, digest(assignment.folder), public=public)


def checks(assignment: Assignment) -> Mapping[str, StandardCheck]:
    """The assignment's own checks by name. Raises `ConfigError`."""
    return {one.name: one for one in names(assignment).values() if isinstance(one, StandardCheck)}


@lru_cache(maxsize=64)
def _names(folder: Path, version: str, *, public: bool) -> Mapping[str, Any]:
    """`version` is the digest of the files: what was edited is imported anew."""
    found: dict[str, Any] = {}
    for name in (PUBLIC,) if public else (PUBLIC, CHECKS):
        if version and (folder / name).is_file():
            module = imported(folder, name.removesuffix(".py"))
            found |= {k: v for k, v in vars(module).items() if not k.startswith("__")}
    return MappingProxyType(found)


def imported(folder: Path, module: str) -> ModuleType:
    """A Python file of an assignment's folder as a module. Raises `ConfigError`."""
    key = hashlib.sha256(f"{folder}\0{digest(folder)}".encode()).hexdigest()[:16]
    package = f"{_PACKAGE}{key}"
    if package not in sys.modules:
        made = ModuleType(package)
        made.__path__ = [str(folder)]
        sys.modules[package] = made
    before = sys.dont_write_bytecode
    sys.dont_write_bytecode = True  # the folder is the instructor's
    try:
        return importlib.import_module(f"{package}.{module}")
    except Exception as e:
        where, line = _place(e, folder / f"{module}.py", folder)
        what = f"cannot be imported: {type(e).__name__}: {e}"
        if isinstance(e, SyntaxError):
            what = f"is not Python: {e.msg}"
        raise ConfigError(what, where=where, line=line, remedy="mend it") from e
    finally:
        sys.dont_write_bytecode = before


def _place(error: Exception, path: Path, folder: Path) -> tuple[Path, int | None]:
    """The file of the folder, and its line, at which importing `path` failed."""
    if isinstance(error, SyntaxError) and error.filename:
        return Path(error.filename), error.lineno
    frames = [
        f for f in traceback.extract_tb(error.__traceback__) if Path(f.filename).parent == folder
    ]
    return (Path(frames[-1].filename), frames[-1].lineno) if frames else (path, None)


def released(folder: Path | None) -> dict[str, bytes]:
    """What of the folder goes into the release: public_checks.py, whatever it imports of the
    folder, and probes.py; nothing where there is no public_checks.py.
    """
    own = files(folder)
    wanted, found = [PUBLIC], dict[str, bytes]()
    while wanted:
        name = wanted.pop()
        if name in own and name not in found:
            found[name] = own[name]
            wanted += [f"{m}.py" for m in _siblings(own[name])]
    if found and PROBES in own:
        found[PROBES] = own[PROBES]
    return found


def _siblings(source: bytes) -> list[str]:
    """The modules that a file imports relatively."""
    found: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.level == 1:
            found += [node.module] if node.module else [a.name for a in node.names]
    return found
