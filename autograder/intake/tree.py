"""A folder or an archive as one safe shape, read without trusting it.

    Folder(name, folders={name: Folder}, files={name: Leaf}, notes=[…], odd={…})

Theory. Layout rules (`folder.py`) should not care whether a class came as a folder or as
an archive, nor be able to do harm: so everything that is not a plain file of a plain name
is already gone here. Links are never followed, hidden files and caches never listed, data
sets never descended into; what was left out is noted at the folder it was left out of. A
`Leaf` is read only when it is taken, at most `cap` bytes, whatever its header claims.

What is wrong with one student's folder (it cannot be listed, it holds too many files) is
noted where it lies, so that the others of the class are still read.

An archive (a zip, or a tar packed in any usual way; the contents say which, not the name) is
refused as a whole (`SubmissionError`) where it lies or attacks: a member outside the archive,
two members of one name, encryption, too many members, too large, or packed more tightly than
honest files are.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import mmap
import os
import stat
import tarfile
import tempfile
import zipfile
import zlib
from calendar import timegm
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO

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
XZ_MEMORY = 128 * MIB
"""What unpacking an .xz may take; its strongest preset, `xz -9`, takes 65 MiB."""
HEAD = 8 << 10
"""As much of a file as is looked at to tell what it is, in bytes."""
ARCHIVES = (
    ".zip", ".tar", ".tar.gz", ".tgz", ".tar.xz", ".txz", ".tar.bz2", ".tbz2", ".tbz",
)  # fmt: skip

_ZIP_ENTRY = b"PK\1\2"
"""How an entry of a zip's list of members begins."""
_ZIP64_END = 76
"""How many bytes the two further records take that a large archive has before its end."""

LEFT_OUT_FOLDERS = frozenset(("__pycache__", "__MACOSX", "node_modules", "site-packages"))
LEFT_OUT_FOLDERS |= {"venv", "env", "virtualenv", "wandb", "mlruns", "lightning_logs"}
DATA_FOLDERS = frozenset(
    ("data", "dataset", "datasets", "mnist", "fashionmnist", "fashion-mnist", "cifar10")
)
DATA_SUFFIXES = ("-ubyte", "-ubyte.gz", ".parquet", ".arrow")
JUNK_FILES = frozenset(("thumbs.db", "desktop.ini"))
_UNREADABLE = (
    OSError,
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
)
"""What reading a broken file or a lying archive raises."""


@dataclass(frozen=True)
class Leaf:
    """A regular file: its claimed size, its time of modification, and how to read it.

    `upload` orders the files of one student where a tool numbers what it is given; it goes
    before the time, which such tools do not keep.
    """

    name: str
    size: int
    modified: float
    _read: Callable[[int], bytes]
    upload: int = 0

    def head(self) -> bytes:
        """The first bytes, to tell what the file is; none where it cannot be read."""
        try:
            return self._read(HEAD)
        except _UNREADABLE:
            return b""

    def read(self, cap: int) -> bytes:
        """The contents; raises `SubmissionError` if they cannot be read or exceed `cap` bytes."""
        try:
            raw = self._read(cap + 1)
        except _UNREADABLE as e:
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
    """One level of a tree, already without what must not be taken.

    `notes` say what was left out and why. `odd` are those of them, by name, that may well be
    somebody's work, and could not be taken as they are.
    """

    name: str
    folders: dict[str, Folder] = field(default_factory=dict)
    files: dict[str, Leaf] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    odd: dict[str, str] = field(default_factory=dict)

    @property
    def weight(self) -> int:
        """The claimed sizes of all files in it, in bytes."""
        below = sum(folder.weight for folder in self.folders.values())
        return below + sum(leaf.size for leaf in self.files.values())

    def leave(self, name: str, why: str) -> None:
        """Leave out an entry that may be somebody's work."""
        self.odd[name] = why
        self.notes.append(f"{clean(name)} ({why})")


@dataclass(frozen=True)
class Handed:
    """One student's work as another tool packed it: under its own names, and where it came from.

    `origin` as in `model.Submission`; `why` says what is wrong where there is nothing to grade;
    `when` is ISO 8601, or "" where the tool does not tell; `notes` and `attention` go with what
    is graded.
    """

    student: str
    folder: Folder
    origin: Mapping[str, Json]
    why: str = ""
    when: str = ""
    notes: tuple[str, ...] = ()
    attention: tuple[str, ...] = ()


def told_apart(students: Iterable[Handed]) -> Iterator[Handed]:
    """The same students; two whose names and numbers make one word stay two."""
    seen: set[str] = set()
    for one in students:
        if one.student in seen:
            one = replace(one, student=f"{one.student} ({one.origin['file']})")
        seen.add(one.student)
        yield one


def unwanted(name: str, *, folder: bool) -> str | None:
    """Why an entry of this name is left out, or None if it is wanted; "" means without a note."""
    low = name.lower()
    if name in (".DS_Store", ".ipynb_checkpoints") or name.startswith("._"):
        return ""
    if name.startswith("~$"):
        return ""  # what Office puts beside a file that is open
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
    return _scan(path, path.name or "submission", [MAX_ENTRIES], 0)


def _scan(path: Path, name: str, budget: list[int], depth: int) -> Folder:
    """One level and what is below it; each folder of the first level may hold `MAX_ENTRIES`."""
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
            here.leave(entry.name, "a link; links are not followed")
            continue
        is_folder = entry.is_dir(follow_symlinks=False)
        reason = unwanted(entry.name, folder=is_folder)
        if reason is not None:
            if reason:
                here.notes.append(reason)
        elif is_folder and depth >= MAX_DEPTH:
            here.leave(f"{entry.name}/", "nested too deeply")
        elif is_folder:
            own = [MAX_ENTRIES] if depth == 0 else budget
            try:
                here.folders[entry.name] = _scan(path / entry.name, entry.name, own, depth + 1)
            except SubmissionError as e:
                if own[0] < 0 and depth > 0:
                    raise  # too many files are too many for the whole of a student's folder
                here.leave(f"{entry.name}/", e.what)
        elif entry.is_file(follow_symlinks=False):
            info = entry.stat(follow_symlinks=False)
            here.files[entry.name] = _disk_leaf(path / entry.name, info)
        else:
            here.leave(entry.name, "not a plain file")
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


def is_archive(name: str) -> bool:
    """Whether a file of this name is an archive that can be read."""
    return name.lower().endswith(ARCHIVES)


@dataclass(frozen=True)
class _Member:
    """One entry of an archive, whatever packed it; `name` has "/" between its parts.

    `packed` is its size in the archive in bytes, 0 where it has none of its own. `plain` says
    that it is a file or a folder, and no link or device.
    """

    name: str
    size: int
    packed: int
    modified: float
    folder: bool
    plain: bool
    encrypted: bool
    read: Callable[[int], bytes]

    @property
    def bomb(self) -> bool:
        """Whether it is packed more tightly than honest files are."""
        return 0 < ZIP_RATIO * self.packed < self.size and self.size > RATIO_FROM


def read_archive(leaf: Leaf, *, cap: int = ZIP_TOTAL, of_class: bool = False) -> Folder:
    """The tree inside an archive, of which at most `cap` bytes are unpacked.

    Of a class's archive (`of_class`) a member that one student packed like a bomb is left out;
    everybody else's work is not that student's to lose. Raises `SubmissionError` with the reason
    for which an archive is refused.
    """
    where = clean(leaf.name)
    raw = leaf.read(min(cap, 512 * MIB))
    if not raw.startswith(b"PK") and (raw.startswith(_PACKED) or _is_tar(raw)):
        members = _tar_members(raw, where, cap)
    else:
        members = _zip_members(raw, where)
    _refuse_attacks(members, where, cap)
    total = sum(m.size for m in members)
    if not of_class and RATIO_FROM < total > ZIP_RATIO * len(raw):
        _refuse(where, f"is packed like a zip bomb: it grows {ZIP_RATIO} times or more")
    root = Folder(leaf.name)
    for member in sorted(members, key=lambda m: m.name):
        if member.bomb and not of_class:
            what = f"'{clean(member.name)[:80]}' grows {ZIP_RATIO} times or more"
            _refuse(where, f"is packed like a zip bomb: {what}")
        _place(root, member)
    return root


def _zip_members(raw: bytes, where: str) -> list[_Member]:
    try:
        _refuse_crowds(raw, where)
        archive = zipfile.ZipFile(io.BytesIO(raw))
        infos = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError) as e:
        raise SubmissionError(
            "is not a readable zip archive", where=where, remedy="zip it again"
        ) from e
    return [_zip_member(archive, info) for info in infos]


def _zip_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> _Member:
    def read(cap: int) -> bytes:
        with archive.open(info) as f:
            return f.read(cap)

    try:
        when = float(timegm((*info.date_time, 0, 0, 0)))
    except (ValueError, OverflowError):
        when = 0.0
    return _Member(
        name=_zip_name(info).replace("\\", "/"),
        size=info.file_size,
        packed=info.compress_size,
        modified=when,
        folder=info.is_dir(),
        plain=stat.S_IFMT(info.external_attr >> 16) in (0, stat.S_IFREG, stat.S_IFDIR),
        encrypted=bool(info.flag_bits & 1),
        read=read,
    )


def _zip_name(info: zipfile.ZipInfo) -> str:
    """A member's name; without the flag that says UTF-8 it is UTF-8 all the same where it can be.

    Zip's own rule is code page 437, and `zipfile` keeps to it; but macOS and many others write
    UTF-8 and forget the flag, and text in a code page is hardly ever valid UTF-8.
    """
    if info.flag_bits & 0x800:
        return info.filename
    try:
        return info.filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return info.filename


_PACKED = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0")
"""How what gzip, bzip2 and xz packed begins."""


def _is_tar(raw: bytes) -> bool:
    """Whether bytes begin with a tar's header: by its magic, or by its checksum where it is old."""
    if raw[257:262] == b"ustar":
        return True
    try:
        tarfile.TarInfo.frombuf(raw[:512], "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True


def _unpacked(raw: bytes) -> Iterator[bytes]:
    """What was packed by gzip, bzip2 or xz, in pieces of at most 1 MiB; as it is where it was not.

    Raises as those do: `OSError`, `EOFError`, `zlib.error`, `lzma.LZMAError`.
    """
    if raw.startswith(b"\xfd7zXZ\0"):
        reader = lzma.LZMADecompressor(memlimit=XZ_MEMORY)
        piece = reader.decompress(raw, MIB)
        while piece or not (reader.eof or reader.needs_input):
            yield piece
            piece = b"" if reader.eof else reader.decompress(b"", MIB)
        if not reader.eof:
            raise EOFError("it ends in the middle")
        return
    opened: IO[bytes]
    if raw.startswith(b"\x1f\x8b"):
        opened = gzip.GzipFile(fileobj=io.BytesIO(raw))  # type: ignore[assignment] # it reads alike
    elif raw.startswith(b"BZh"):
        opened = bz2.BZ2File(io.BytesIO(raw))
    else:
        opened = io.BytesIO(raw)
    while piece := opened.read(MIB):
        yield piece


def _tar_members(raw: bytes, where: str, cap: int) -> list[_Member]:
    """The members of a tar. It is unpacked whole, into a file without a name that the members keep
    mapped, since what is packed can be read in one direction only.
    """
    size = 0
    try:
        with tempfile.TemporaryFile() as file:
            for piece in _unpacked(raw):
                size += len(piece)
                if size > cap:
                    _refuse(where, f"would unpack to more than {cap // MIB} MiB")
                if size > RATIO_FROM and size > ZIP_RATIO * len(raw):
                    _refuse(where, f"is packed like a bomb: it grows {ZIP_RATIO} times or more")
                file.write(piece)
            file.seek(0)
            with tarfile.open(fileobj=file, mode="r:", encoding="utf-8") as tar:
                infos = list(_tar_infos(tar, where))
            whole = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        return [_tar_member(whole, info) for info in infos]
    except (tarfile.TarError, lzma.LZMAError, *_UNREADABLE, RecursionError, ValueError) as e:
        if isinstance(e, SubmissionError):
            raise
        raise SubmissionError(
            f"is not a readable tar archive: {clean(str(e))[:100] or type(e).__name__}",
            where=where,
            remedy="hand in a zip",
        ) from e


def _tar_infos(tar: tarfile.TarFile, where: str) -> Iterator[tarfile.TarInfo]:
    """The headers in order. Each stands behind the last: one that points back would never end."""
    at, count = -1, 0
    while (info := tar.next()) is not None:
        count += 1
        if info.offset <= at or info.size < 0:
            _refuse(where, "has a member that begins before the one in front of it")
        if count > ZIP_MEMBERS:
            _refuse(where, f"holds more than {ZIP_MEMBERS} members")
        at = info.offset
        yield info


def _tar_member(whole: mmap.mmap, info: tarfile.TarInfo) -> _Member:
    def read(cap: int) -> bytes:
        raw = whole[info.offset_data : info.offset_data + min(cap, info.size)]
        if len(raw) < min(cap, info.size):
            raise EOFError("it ends in the middle")
        return raw

    return _Member(
        name=info.name + "/" * info.isdir(),
        size=info.size,
        packed=0,
        modified=float(info.mtime),
        folder=info.isdir(),
        plain=(info.isreg() and not info.issparse()) or info.isdir(),
        encrypted=False,
        read=read,
    )


def _refuse(where: str, what: str) -> None:
    raise SubmissionError(what, where=where, remedy="ask for a plain zip of the files")


def _refuse_attacks(members: list[_Member], where: str, cap: int) -> None:
    """Raise `SubmissionError` for an archive that must not be opened at all."""
    if len(members) > ZIP_MEMBERS:
        _refuse(where, f"holds {len(members)} members, more than {ZIP_MEMBERS}")
    if sum(m.size for m in members) > cap:
        _refuse(where, f"would unpack to more than {cap // MIB} MiB")
    seen: set[str] = set()
    for m in members:
        shown = clean(m.name)[:80]
        if m.name.startswith("/") or ".." in m.name.split("/") or m.name[1:2] == ":":
            _refuse(where, f"has a member that would be written outside of it: '{shown}'")
        if m.encrypted:
            _refuse(where, "is encrypted")
        if m.name in seen and not m.folder:
            _refuse(where, f"has two members named '{shown}'")
        seen.add(m.name)


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
        _refuse(where, f"holds {count} members, more than {ZIP_MEMBERS}")


def _place(root: Folder, member: _Member) -> None:
    """Put one member into the tree, unless something on its path is unwanted."""
    *parents, name = [p for p in member.name.split("/") if p not in ("", ".")] or [""]
    if member.folder:
        parents, name = [*parents, name], ""
    here = root
    for depth, part in enumerate(parents):
        if not part:
            return
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
    reason = unwanted(name, folder=False)
    if reason is not None:
        if reason:
            here.notes.append(reason)
    elif not member.plain:
        here.leave(name, "a link or a special file")
    elif member.bomb:
        here.leave(name, f"packed like a zip bomb: it grows {ZIP_RATIO} times or more")
    elif name in here.folders:
        here.leave(name, "a folder has the same name")
    else:
        here.files[name] = Leaf(name, member.size, member.modified, member.read)


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
