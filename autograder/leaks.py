"""The leak scan: whether anything that must stay behind stands in what students get.

    secrets_of   what must not be seen: lines of solutions and hidden tests, titles, thresholds
                 and seeds of hidden checks, our own markers
    scan         every text in every file of a release, looked through for them

Theory. What strips a master is one piece of code, and what looks for leaks must not trust it:
it takes its lines from between the markers by itself. And a leak need not stand in plain text.
A notebook keeps text in metadata, outputs and attachments, split over lines, escaped or as
base64; an archive keeps it compressed, a PNG in compressed chunks. So each file is unfolded into
all the texts in it, down to a depth, and white space is levelled before anything is compared.

A secret that is shown on purpose as well (an import that a public test makes too, a number of
the handout) is none. Lines shorter than `TELLING` may stand anywhere by chance, and a bare call
(`model.train()`) is a beat that every handout and every picture names.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import html
import io
import json
import re
import tarfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .config import Assignment
from .model import Visibility
from .notebook import Cell

TELLING = 12
"""A hidden line shorter than this (`return x`) may stand anywhere by chance."""
MEMBER_CAP = 64 << 20
DEPTH = 4
MARKERS = ("### BEGIN", "### END", "autograder.live")
_IDIOM = re.compile(r"\w+\.\w+\(\)")
_BASE64 = re.compile(r"[A-Za-z0-9+/\s]{24,}={0,2}")
_NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?:[eE][-+]?\d+)?(?![\w.]|\.\d)")


@dataclass(frozen=True)
class Secret:
    """What must not be seen: its rule in words, the text, and the master's line it comes from."""

    rule: str
    text: str
    line: int | None = None
    remedy: str = "take it out of what is shown"


@dataclass(frozen=True)
class Leak:
    """A secret found: in which file of the release, and in which part of it."""

    file: str
    part: str
    secret: Secret

    @property
    def message(self) -> str:
        """What is wrong, in words."""
        place = f"{self.file} ({self.part})" if self.part else self.file
        return f"{self.secret.rule} would stand in {place}: {self.secret.text}"


def _level(text: str) -> str:
    """Text with every run of white space as one space."""
    return " ".join(text.split())


def _hidden_lines(cells: Sequence[Cell]) -> dict[str, int]:
    """Telling lines between markers, with their line in the master."""
    hidden: dict[str, int] = {}
    shown: list[str] = []
    for cell in cells:
        inside = False
        for at, line in enumerate(cell.source.splitlines(), start=cell.line):
            if "### BEGIN" in line or "### END" in line:
                inside = "### BEGIN" in line
            elif not inside:
                shown.append(line)
            elif len(line.strip()) >= TELLING and not _IDIOM.fullmatch(line.strip()):
                hidden.setdefault(_level(line), at)
    text = _level("\n".join(shown))
    return {line: at for line, at in hidden.items() if line not in text}


def _numbers(value: Any) -> Iterator[float]:
    """Every number in a tree of plain data, truth values apart."""
    if isinstance(value, Mapping):
        for one in value.values():
            yield from _numbers(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _numbers(one)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield float(value)


def _telling(number: float) -> bool:
    """Whether a number hardly occurs by chance: three decimals, or five digits."""
    return round(number, 2) != number or abs(number) >= 10_000


def secrets_of(
    assignment: Assignment, cells: Sequence[Cell], thresholds: Iterable[float] = ()
) -> list[Secret]:
    """All that must not be seen of an assignment.

    `cells` are the master's; `thresholds` are accuracies in [0, 1] from its calibrations.
    """
    hidden = [c for c in assignment.checks if c.visibility is Visibility.HIDDEN]
    public = [c for c in assignment.checks if c.visibility is Visibility.PUBLIC]
    found = [Secret("a marker", text, None, "mark it hidden") for text in MARKERS]
    lines = _hidden_lines(cells)
    found += [Secret("a hidden line", text, at) for text, at in lines.items()]
    shown = _level("\n".join(c.source for c in cells)) + " ".join(c.title for c in public)
    found += [
        Secret("the title of a hidden check", c.title, None, "reword it in assignment.yml")
        for c in hidden
        if len(c.title) >= TELLING and c.title not in shown
    ]
    if assignment.seed:
        text = str(assignment.seed)
        found.append(Secret("the assignment's secret seed", text, None, "change it"))
    open_numbers = set(_numbers([c.options for c in public]))
    open_numbers |= {float(n) for n in _NUMBER.findall(shown.replace(",", ""))}
    closed = set(_numbers([c.options for c in hidden])) | set(thresholds)
    found += [
        Secret("a threshold", f"{n:g}", None, "take it out, or let a public check state it")
        for n in sorted(closed - open_numbers)
        if _telling(n)
    ]
    return found


def scan(files: Mapping[str, bytes], secrets: Sequence[Secret]) -> list[Leak]:
    """Every secret in every file, by file; a secret once for each file."""
    numbers = {
        float(s.text): s
        for s in secrets
        if s.rule in ("a threshold", "the assignment's secret seed")
    }
    words = [(s, _level(s.text)) for s in secrets if s not in numbers.values()]
    leaks: dict[tuple[str, Secret], Leak] = {}
    for name in sorted(files):
        for part, text in texts_of(name, files[name]):
            level = _level(text)
            for secret, wanted in words:
                if wanted in level:
                    leaks.setdefault((name, secret), Leak(name, part, secret))
            for match in _NUMBER.finditer(level.replace(",", "")) if numbers else ():
                secret_number = numbers.get(float(match[0]))
                if secret_number is not None:
                    leaks.setdefault((name, secret_number), Leak(name, part, secret_number))
    return list(leaks.values())


# -- unfolding -----------------------------------------------------------------------------------


def texts_of(name: str, raw: bytes, depth: int = DEPTH) -> Iterator[tuple[str, str]]:
    """Every text in a file, as (part, text): its own, and those of what is packed in it."""
    text = raw.decode("utf-8", "replace")
    yield "", text
    unescaped = html.unescape(text)
    if unescaped != text:
        yield "entities", unescaped
    if depth == 0:
        return
    if name.endswith((".ipynb", ".json")):
        yield from _of_json(text, depth)
    for part, member in _members(raw):
        for inner, found in texts_of(part, member, depth - 1):
            yield f"{part}: {inner}" if inner else part, found
    if raw.startswith(b"\x89PNG"):
        yield from _of_png(raw)


def _of_json(text: str, depth: int) -> Iterator[tuple[str, str]]:
    """Every string of a JSON file by its path, lists of strings joined, base64 decoded."""
    try:
        tree = json.loads(text)
    except ValueError:
        return

    def walk(value: Any, path: str) -> Iterator[tuple[str, str]]:
        if isinstance(value, str):
            yield path, value
        elif isinstance(value, Mapping):
            for key, one in value.items():
                yield f"{path}.{key}", str(key)
                yield from walk(one, f"{path}.{key}")
        elif isinstance(value, list):
            if value and all(isinstance(one, str) for one in value):
                yield path, "".join(value)
                return
            for at, one in enumerate(value):
                yield from walk(one, f"{path}[{at}]")
        elif value is not None:
            yield path, str(value)

    for path, found in walk(tree, ""):
        yield path.lstrip("."), found
        if _BASE64.fullmatch(found):
            try:
                decoded = base64.b64decode("".join(found.split()), validate=True)
            except (binascii.Error, ValueError):
                continue
            for inner, text_in in texts_of(path, decoded, depth - 1):
                yield f"{path.lstrip('.')}: {inner or 'base64'}", text_in


def _members(raw: bytes) -> Iterator[tuple[str, bytes]]:
    """What an archive or a compressed file holds, each member capped; nothing for other files."""
    if zipfile.is_zipfile(io.BytesIO(raw)):
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            yield "comment", archive.comment
            for info in archive.infolist():
                yield info.filename, info.comment + b"\n" + info.filename.encode()
                if not info.is_dir() and not info.flag_bits & 1:
                    with archive.open(info) as member:
                        yield info.filename, member.read(MEMBER_CAP)
    elif raw.startswith(b"\x1f\x8b"):
        try:
            with gzip.open(io.BytesIO(raw)) as packed:
                yield "gzip", packed.read(MEMBER_CAP)
        except (OSError, EOFError, zlib.error):
            return
    elif raw[257:262] == b"ustar":
        with tarfile.open(fileobj=io.BytesIO(raw)) as tar:
            for entry in tar:
                file = tar.extractfile(entry) if entry.isfile() else None
                if file is not None:
                    yield entry.name, file.read(MEMBER_CAP)


def _of_png(raw: bytes) -> Iterator[tuple[str, str]]:
    """The compressed text chunks of a PNG; plain ones stand in its bytes anyway."""
    at = 8
    while at + 12 <= len(raw):
        size, kind = int.from_bytes(raw[at : at + 4], "big"), raw[at + 4 : at + 8]
        body = raw[at + 8 : at + 8 + size]
        at += 12 + size
        if kind in (b"zTXt", b"iTXt"):
            for start in range(len(body)):
                if body[start : start + 1] != b"\x78":  # where a zlib stream may begin
                    continue
                try:
                    packed = zlib.decompressobj().decompress(body[start:], MEMBER_CAP)
                except zlib.error:
                    continue
                yield kind.decode(), packed.decode("utf-8", "replace")
                break
