"""Frames: the one format spoken over every pipe of the box.

    4 bytes  length of the JSON header, big-endian
    4 bytes  length of the blob, big-endian
    header   UTF-8 JSON object, no NaN or infinity
    blob     safetensors bytes, or a submission's files one after the other, or nothing

The side that reads decides how much it is willing to take.
"""

from __future__ import annotations

import json
import os
import struct
from typing import Any

HEAD = struct.Struct(">II")
REQUEST_CAP = 512 * 2**20
EVIDENCE_CAP = 32 * 2**20
HEADER_CAP = 7 * 2**20
"""The largest header that a box hands on; the host takes a little more."""


class WireError(Exception):
    """The bytes on a pipe are not a frame, or one larger than allowed."""


def pack(header: dict[str, Any], blob: bytes = b"") -> bytes:
    """One frame; raises ValueError for a header JSON cannot hold."""
    text = json.dumps(header, allow_nan=False).encode()
    return HEAD.pack(len(text), len(blob)) + text + blob


def unpack(frame: bytes) -> tuple[dict[str, Any], bytes]:
    """The header and blob of one whole frame; raises `WireError`."""
    if len(frame) < HEAD.size:
        raise WireError("a frame was cut short")
    n, m = HEAD.unpack_from(frame)
    if len(frame) != HEAD.size + n + m:
        raise WireError("a frame has another length than it says")
    try:
        header = json.loads(frame[HEAD.size : HEAD.size + n])
    except (ValueError, RecursionError) as e:
        raise WireError("a frame's header is not JSON") from e
    if not isinstance(header, dict):
        raise WireError("a frame's header is not an object")
    return header, frame[HEAD.size + n :]


def expected(buffer: bytes | bytearray, cap: int) -> int | None:
    """The full length of the frame that `buffer` begins, None while it cannot be known.

    Raises `WireError` where it would exceed `cap` bytes.
    """
    if len(buffer) < HEAD.size:
        return None
    n, m = HEAD.unpack_from(buffer)
    total: int = HEAD.size + n + m
    if total > cap:
        raise WireError(f"a frame of {total} bytes is over the limit of {cap}")
    return total


def read(fd: int, cap: int) -> tuple[dict[str, Any], bytes] | None:
    """The next frame of a blocking descriptor; None at the end of the stream."""
    buffer = bytearray()
    total = HEAD.size
    while len(buffer) < total:
        chunk = os.read(fd, min(total - len(buffer), 2**20))
        if not chunk:
            if buffer:
                raise WireError("the stream ended inside a frame")
            return None
        buffer += chunk
        total = expected(buffer, cap) or HEAD.size
    return unpack(bytes(buffer))


def write(fd: int, frame: bytes) -> None:
    """All of `frame` to a blocking descriptor."""
    view = memoryview(frame)
    while view:
        view = view[os.write(fd, view) :]
