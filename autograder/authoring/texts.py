"""Every text in a file, unfolded out of whatever it is packed in.

    file                          texts
    any                           its name, its bytes as text, that text without escapes and tags
    .ipynb, .json                 each key and each value, lists of strings joined
    zip, gzip, tar                names and comments, and each member like a file
    PNG                           its compressed text chunks
    any text with base64 in it    what that stands for, like a file (attachments, data: addresses)

Theory. A reader sees what a file shows, not its bytes: text in metadata, outputs and attachments
of a notebook, split over lines or tags, escaped or as base64; text that an archive or a picture
keeps compressed. So a file is unfolded, down to a depth, and whatever could be text is given back
beside the plain bytes. Each member is read up to a cap, and what cannot be unpacked is only text.
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
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

MEMBER_CAP = 64 << 20
DEPTH = 4
_BASE64 = re.compile(r"[A-Za-z0-9+/]{16,}={0,2}")
_ALL_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4})+(?:[A-Za-z0-9+/]{2}(?:[A-Za-z0-9+/]|=)=)?")
_TAG = re.compile(r"<[^<>]*>")


def texts_of(name: str, raw: bytes, depth: int = DEPTH) -> Iterator[tuple[str, str]]:
    """Every text in a file, as (part, text); the part of a file's plain text is ""."""
    yield "name", name
    # Two bytes a letter (UTF-16) are the letters with zeros between them.
    text = raw.decode("utf-8", "replace").replace("\0", "")
    yield from _variants("", text)
    if depth == 0:
        return
    if name.lower().endswith((".ipynb", ".json")):
        for part, found in _of_json(text):
            yield from _variants(part, found)
            yield from _of_base64(part, found, depth)
    else:
        yield from _of_base64("", text, depth)
    for part, member in _members(raw):
        for inner, found in texts_of(part, member, depth - 1):
            yield f"{part}: {inner}" if inner else part, found
    if raw.startswith(b"\x89PNG"):
        yield from _of_png(raw)


def _variants(part: str, text: str) -> Iterator[tuple[str, str]]:
    """A text as it stands, and as a browser shows it."""
    yield part, text
    if "&" in text or "<" in text:
        shown = html.unescape(_TAG.sub("", text))
        if shown != text:
            yield f"{part}: as shown".removeprefix(": "), shown
    if "%" in text:
        unquoted = unquote(text)
        if unquoted != text:
            yield f"{part}: unquoted".removeprefix(": "), unquoted


def _of_json(text: str) -> Iterator[tuple[str, str]]:
    """Every key and every value of a JSON file by its path, lists of strings joined."""
    try:
        tree = json.loads(text)
    except ValueError:
        return

    def walk(value: Any, path: str) -> Iterator[tuple[str, str]]:
        if isinstance(value, Mapping):
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


def _of_base64(part: str, text: str, depth: int) -> Iterator[tuple[str, str]]:
    """What each run of base64 in a text stands for, runs broken over lines joined."""
    whole = "".join(text.split())
    runs = {*_BASE64.findall(text), *_BASE64.findall(whole)}
    if _ALL_BASE64.fullmatch(whole):  # as an attachment is, however short
        runs.add(whole)
    for run in runs:
        try:
            decoded = base64.b64decode(run + "=" * (-len(run.rstrip("=")) % 4))
        except (binascii.Error, ValueError):
            continue
        for inner, found in texts_of("", decoded, depth - 1):
            yield f"{part}: {inner or 'base64'}".removeprefix(": "), found


def _members(raw: bytes) -> Iterator[tuple[str, bytes]]:
    """What an archive or a compressed file holds, each member capped; nothing for other files."""
    if zipfile.is_zipfile(io.BytesIO(raw)):
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            yield "comment", archive.comment
            for info in archive.infolist():
                yield info.filename, info.comment
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
                yield entry.name, entry.linkname.encode("utf-8", "surrogateescape")
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
