"""A folder or a zip archive as one safe shape, read without trusting it.

    Folder(name, folders={name: Folder}, files={name: Leaf}, notes=[…])

Theory. Layout rules (`folder.py`) should not care whether a class came as a folder or as
an archive, nor be able to do harm: so everything that is not a plain file of a plain name
is already gone here. Links are never followed, hidden files and caches never listed, data
sets never descended into; what was left out is noted at the folder it was left out of. A
`Leaf` is read only when it is taken, at most `cap` bytes, whatever its header claims.

An archive is refused as a whole (`SubmissionError`) where it lies or attacks: a member
outside the archive, two members of one name, encryption, too many members, too large, or
packed more tightly than honest files are.
"""

from __future__ import annotations

import io
import os
import re
import stat
import zipfile
import zlib
from calendar import timegm
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from ..errors import SubmissionError
from ..model import Json
from ..text import clean

MIB = 1 << 20
MAX_DEPTH = 12
MAX_ENTRIES = 100_000
ZIP_MEMBERS = 20_000
ZIP_TOTAL = 2048 * MIB
ZIP_RATIO = 200
NAME_CAP = 600
"""The longest name that another tool's layout is looked for in, in characters."""
FILE_CAP = 8 * MIB
TOTAL_CAP = 32 * MIB
FILES_CAP = 200
RATIO_FROM = 8 * MIB
"""Members below this size may be packed as tightly as they like: text of one letter is."""

_ZIP_ENTRY = b"PK\1\2"
"""How an entry of a zip's list of members begins."""
_ZIP64_END = 76
"""How many bytes the two further records take that a large archive has before its end."""

LEFT_OUT_FOLDERS = frozenset(("__pycache__", "__MACOSX", "node_modules", "site-packages"))
LEFT_OUT_FOLDERS |= {"venv", "env", "virtualenv", "wandb", "mlruns", "lightning_logs"}
DATA_FOLDERS = frozenset(
    ("data", "dataset", "datasets", "mnist", "fashionmnist", "fashion-mnist", "cifar10")
)
DATA_SUFFIXES = ("-ubyte", "-ubyte.gz", ".tar.gz", ".parquet", ".arrow")
JUNK_FILES = frozenset(("thumbs.db", "desktop.ini"))
_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d(\.\d+)?)?( ?(Z|UTC|[+-]\d\d:?\d\d))?")


@dataclass(frozen=True)
class Leaf:
    """A regular file: its claimed size, its time of modification, and how to read it."""

    name: str
    size: int
    modified: float
    _read: Callable[[int], bytes]

    def read(self, cap: int) -> bytes:
        """The contents; raises `SubmissionError` if they cannot be read or exceed `cap` bytes."""
        try:
            raw = self._read(cap + 1)
        except (
            OSError,
            zipfile.BadZipFile,
            zlib.error,
            EOFError,
            NotImplementedError,
            RuntimeError,
        ) as e:
            raise SubmissionError(
                f"{clean(self.name)} cannot be read: {clean(str(e)) or type(e).__name__}",
                remedy="ask for the file again",
            ) from e
        if len(raw) > cap:
            raise SubmissionError(
                f"{clean(self.name)} is larger than {cap // MIB} MiB",
                remedy="clear a notebook's outputs, or hand in the code alone",
            )
        return raw


@dataclass
class Folder:
    """One level of a tree, already without what must not be taken."""

    name: str
    folders: dict[str, Folder] = field(default_factory=dict)
    files: dict[str, Leaf] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Handed:
    """One student's work as another tool packed it: under its own names, and where it came from.

    `origin` as in `model.Submission`; `why` says what is wrong where there is nothing to grade;
    `when` is ISO 8601, or "" where the tool does not tell.
    """

    student: str
    folder: Folder
    origin: Mapping[str, Json]
    why: str = ""
    when: str = ""


def unwanted(name: str, *, folder: bool) -> str | None:
    """Why an entry of this name is left out, or None if it is wanted; "" means without a note."""
    low = name.lower()
    if name in (".DS_Store", ".ipynb_checkpoints") or name.startswith("._"):
        return ""
    if name.startswith("."):
        return f"{name} (hidden)"
    if folder and (name in LEFT_OUT_FOLDERS or low.endswith(".egg-info")):
        return "" if name in ("__pycache__", "__MACOSX") else f"{name}/ (not part of the work)"
    if folder and low in DATA_FOLDERS:
        return f"{name}/ (a data set; the grader brings its own)"
    if not folder and low.endswith(DATA_SUFFIXES):
        return f"{name} (a data set)"
    if not folder and low in JUNK_FILES:
        return ""
    return None


def read_folder(path: Path) -> Folder:
    """The tree below a folder on disk. Raises `SubmissionError` if it cannot be listed."""
    budget = [MAX_ENTRIES]
    return _scan(path, path.name or "submission", budget, 0)


def _scan(path: Path, name: str, budget: list[int], depth: int) -> Folder:
    here = Folder(name)
    try:
        with os.scandir(path) as listing:
            entries = sorted(listing, key=lambda e: e.name)
    except OSError as e:
        raise SubmissionError(
            f"cannot be listed: {e.strerror}",
            where=clean(str(path)),
            remedy="check its permissions",
        ) from e
    for entry in entries:
        budget[0] -= 1
        if budget[0] < 0:
            raise SubmissionError(
                f"holds more than {MAX_ENTRIES} files",
                where=clean(str(path)),
                remedy="name a smaller folder",
            )
        if entry.is_symlink():
            here.notes.append(f"{clean(entry.name)} (a link; links are not followed)")
            continue
        is_folder = entry.is_dir(follow_symlinks=False)
        reason = unwanted(entry.name, folder=is_folder)
        if reason is not None:
            if reason:
                here.notes.append(reason)
        elif is_folder and depth >= MAX_DEPTH:
            here.notes.append(f"{entry.name}/ (nested too deeply)")
        elif is_folder:
            here.folders[entry.name] = _scan(path / entry.name, entry.name, budget, depth + 1)
        elif entry.is_file(follow_symlinks=False):
            info = entry.stat(follow_symlinks=False)
            here.files[entry.name] = _disk_leaf(path / entry.name, info)
        else:
            here.notes.append(f"{entry.name} (not a plain file)")
    return here


def _disk_leaf(path: Path, info: os.stat_result) -> Leaf:
    def read(cap: int) -> bytes:
        # The file may have been exchanged for a link or a pipe since it was listed.
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as f:
            if not stat.S_ISREG(os.fstat(f.fileno()).st_mode):
                raise OSError("not a plain file")
            return f.read(cap)

    return Leaf(path.name, info.st_size, info.st_mtime, read)


def read_file(path: Path) -> Leaf:
    """One file the user named; a link is followed here, because the user chose it."""
    real = path.resolve()
    return replace(_disk_leaf(real, real.stat()), name=path.name)


def read_zip(leaf: Leaf, *, cap: int = ZIP_TOTAL) -> Folder:
    """The tree inside a zip archive, of which at most `cap` bytes are held in memory packed.

    Raises `SubmissionError` with the reason for which it is refused.
    """
    where = clean(leaf.name)
    raw = leaf.read(min(cap, 512 * MIB))
    try:
        _refuse_crowds(raw, where)
        archive = zipfile.ZipFile(io.BytesIO(raw))
        members = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError) as e:
        raise SubmissionError(
            "is not a readable zip archive", where=where, remedy="zip it again"
        ) from e
    _refuse_attacks(members, where, cap)
    total = sum(m.file_size for m in members)
    # a class's archive is not lost for one student's files: it is larger than this cap allows
    if cap < ZIP_TOTAL and RATIO_FROM < total > ZIP_RATIO * len(raw):
        raise SubmissionError(
            f"is packed like a zip bomb: it grows {ZIP_RATIO} times or more",
            where=where,
            remedy="ask for a plain zip of the files",
        )
    root = Folder(Path(leaf.name).stem)
    for member in sorted(members, key=lambda m: m.filename):
        _place(root, archive, member)
    return root


def _refuse_attacks(members: list[zipfile.ZipInfo], where: str, cap: int) -> None:
    """Raise `SubmissionError` for an archive that must not be opened at all."""

    def refuse(what: str) -> None:
        raise SubmissionError(what, where=where, remedy="ask for a plain zip of the files")

    if len(members) > ZIP_MEMBERS:
        refuse(f"holds {len(members)} members, more than {ZIP_MEMBERS}")
    if sum(m.file_size for m in members) > cap:
        refuse(f"would unpack to more than {cap // MIB} MiB")
    seen: set[str] = set()
    for m in members:
        name = m.filename.replace("\\", "/")
        parts = name.split("/")
        if name.startswith("/") or ".." in parts or (len(name) > 1 and name[1] == ":"):
            refuse(f"has a member that would be written outside of it: '{clean(m.filename)[:80]}'")
        if m.flag_bits & 1:
            refuse("is encrypted")
        if name in seen:
            refuse(f"has two members named '{clean(name)[:80]}'")
        seen.add(name)
        if m.file_size > RATIO_FROM and m.file_size > ZIP_RATIO * max(m.compress_size, 1):
            refuse(
                f"is packed like a zip bomb: '{clean(name)[:80]}' grows {ZIP_RATIO} times or more"
            )


def _refuse_crowds(raw: bytes, where: str) -> None:
    """Raise `SubmissionError` for a zip of too many members before it is opened: the list of a
    million takes twenty seconds to read, and counting the marks that begin its entries next to
    none. (Their number is recorded too; that may be a lie, and `zipfile` does not believe it.)
    """
    # what `zipfile` itself takes for the end, so that no archive can show the two different lists
    end = zipfile._EndRecData(io.BytesIO(raw))  # type: ignore[attr-defined] # noqa: SLF001
    if end is None:
        return
    size, at = end[5], end[9]
    count = raw.count(_ZIP_ENTRY, max(0, at - size - _ZIP64_END), at)
    if count > ZIP_MEMBERS:
        raise SubmissionError(
            f"holds {count} members, more than {ZIP_MEMBERS}",
            where=where,
            remedy="ask for a plain zip of the files",
        )


def _place(root: Folder, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
    """Put one member into the tree, unless something on its path is unwanted."""
    *parents, name = [
        p for p in member.filename.replace("\\", "/").split("/") if p not in ("", ".")
    ] or [""]
    if member.is_dir():
        parents, name = [*parents, name], ""
    here = root
    for depth, part in enumerate(parents):
        reason = (
            unwanted(part, folder=True) if depth < MAX_DEPTH else f"{part}/ (nested too deeply)"
        )
        if reason is None and part in here.files:
            reason = f"{part}/ (a file has the same name)"
        if reason is not None:
            if reason and reason not in here.notes:
                here.notes.append(reason)
            return
        here = here.folders.setdefault(part, Folder(part))
    if not name:
        return
    mode = member.external_attr >> 16
    reason = unwanted(name, folder=False)
    if reason is None and stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        reason = f"{name} (a link or a special file)"
    if reason is None and name in here.folders:
        reason = f"{name} (a folder has the same name)"
    if reason is not None:
        if reason:
            here.notes.append(reason)
        return

    def read(cap: int) -> bytes:
        with archive.open(member) as f:
            return f.read(cap)

    try:
        when = float(timegm((*member.date_time, 0, 0, 0)))
    except (ValueError, OverflowError):
        when = 0.0
    here.files[name] = Leaf(name, member.file_size, when, read)


def files_of(folder: Folder, *, but: str) -> tuple[dict[str, bytes], list[str]]:
    """The files of a folder by relative path, capped each and in all; and what was left out.

    `but` names the file at its top that the caller has read already.
    """
    files: dict[str, bytes] = {}
    notes: list[str] = []
    total = 0

    def walk(here: Folder, prefix: str) -> None:
        nonlocal total
        notes.extend(prefix + n for n in here.notes)
        for name, leaf in here.files.items():
            path = prefix + name
            if path == but:
                continue
            if clean(name) != " ".join(name.split()) or "\\" in name:
                notes.append(f"{path} (its name holds control characters)")
            elif leaf.size > FILE_CAP:
                notes.append(f"{path} ({leaf.size / MIB:.0f} MiB, more than {FILE_CAP // MIB})")
            elif total + leaf.size > TOTAL_CAP:
                notes.append(f"{path} (more than {TOTAL_CAP // MIB} MiB in all)")
            elif len(files) >= FILES_CAP:
                notes.append(f"{path} (more than {FILES_CAP} files)")
            else:
                try:
                    files[path] = leaf.read(FILE_CAP)
                    total += len(files[path])
                except SubmissionError as e:
                    notes.append(f"{path} ({e.what})")
        for name, sub in here.folders.items():
            walk(sub, f"{prefix}{name}/")

    walk(folder, "")
    return files, notes


def timestamp(folder: Folder) -> str:
    """When the work was handed in, where the layout says so (`timestamp.txt`), as ISO 8601."""
    leaf = folder.files.get("timestamp.txt")
    if leaf is None or leaf.size > 200:
        return ""
    text = leaf.read(200).decode("utf-8", "replace").strip()
    if not _TIMESTAMP.fullmatch(text):
        return ""
    try:
        return datetime.fromisoformat(re.sub(r" ?(UTC|Z)$", "+00:00", text)).isoformat(
            timespec="seconds"
        )
    except ValueError:
        return ""
