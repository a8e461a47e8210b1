"""Reading what came out of a box: capped, schema-checked, and refused where it is not plain data.

A frame is (JSON header, safetensors blob). Whatever is wrong with it is the submission's
doing, since honest probes write well-formed frames: the evidence then says `error` with the
type `EvidenceRefused`, and no judge ever sees the bytes. Nothing here unpickles.

What was taken on another machine is written as such a frame again (`answer_frame`, `load_frame`),
and read again here, by the same rules.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Annotated, Any

import numpy as np
import safetensors.numpy
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from ..errors import EvidenceError
from ..model import Array, ErrorInfo, Evidence, EvidenceStatus, Json, LoadReport, Usage

HEADER_CAP = 8 * 2**20
BLOB_CAP = 32 * 2**20
AGAIN_CAP = 6 * HEADER_CAP
"""The cap of a header that was within `HEADER_CAP` and was written again: two bytes of a box (`é`)
are six in ASCII, and `1e15` becomes `1000000000000000.0`.
"""
TENSORS_CAP = 4_096
DEPTH_CAP, INTEGER_CAP = 32, 2**63
"""Deeper nests and longer integers than honest probes write; both make plain code raise."""
_DTYPES = {"float64", "float32", "float16", "int64", "int32", "int16", "int8", "uint8", "bool"}

Short = Annotated[str, StringConstraints(max_length=300)]
Long = Annotated[str, StringConstraints(max_length=20_000)]
Count = Annotated[int, Field(ge=0, le=10_000_000)]


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore", allow_inf_nan=False)


class _Error(_Strict):
    type: Short
    message: Long
    line: Count | None = None
    cell: Count | None = None
    traceback: Long = ""


class _Usage(_Strict):
    wall_s: float = Field(0.0, ge=0, le=1e7)
    cpu_s: float = Field(0.0, ge=0, le=1e7)
    max_rss_mb: float = Field(0.0, ge=0, le=1e9)
    waited_s: float = Field(0.0, ge=0, le=1e7)


class _Answer(_Strict):
    status: EvidenceStatus
    data: dict[str, Any] = Field(default_factory=dict)
    error: _Error | None = None
    detail: Long = ""
    usage: _Usage = _Usage()
    needs: list[Short] = Field(default_factory=list, max_length=20)


class _Load(_Strict):
    errors: list[_Error] = Field(default_factory=list, max_length=50)
    names: list[Short] = Field(default_factory=list, max_length=2_000)
    report: dict[str, Any] = Field(default_factory=dict)
    threads: Count = 0


class _LoadAnswer(_Answer):
    output: str = Field("", max_length=2**26)
    load: _Load | None = None


def _no_duplicates(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    out = dict(pairs)
    if len(out) != len(pairs):
        raise ValueError("a key twice")
    return out


def _no_constant(name: str) -> Json:
    raise ValueError(f"{name} is not JSON")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError("a number out of range")
    return value


def _bounded(text: str) -> int:
    value = int(text)
    if abs(value) >= INTEGER_CAP:
        raise ValueError("a number out of range")
    return value


def _depth(value: Json) -> int:
    """How deep a JSON value is nested; stops counting just above the cap."""
    depth, level = 0, [value]
    while level and depth <= DEPTH_CAP:
        depth += 1
        nests = [v for v in level if isinstance(v, (dict, list))]
        level = [w for v in nests for w in (v.values() if isinstance(v, dict) else v)]
    return depth


def parse_header(raw: bytes, cap: int = HEADER_CAP) -> dict[str, Json]:
    """Strict JSON: an object, UTF-8, no duplicate keys, no NaN, bounded in size, depth and
    numbers. Raises EvidenceError.
    """
    if len(raw) > cap:
        raise EvidenceError(f"a header of {len(raw)} bytes is over the limit of {cap}")
    try:
        header = json.loads(
            raw.decode("utf-8"),
            object_pairs_hook=_no_duplicates,
            parse_constant=_no_constant,
            parse_float=_finite,
            parse_int=_bounded,
        )
    except (ValueError, RecursionError) as e:
        raise EvidenceError(f"a header is not plain JSON: {e}") from e
    if not isinstance(header, dict):
        raise EvidenceError("a header is not a JSON object")
    if _depth(header) > DEPTH_CAP:
        raise EvidenceError(f"a header is nested deeper than {DEPTH_CAP}")
    return header


def parse_tensors(blob: bytes) -> dict[str, Array]:
    """Safetensors bytes to numpy arrays. Raises EvidenceError for anything but plain tensors."""
    if not blob:
        return {}
    if len(blob) > BLOB_CAP:
        raise EvidenceError(f"tensors of {len(blob)} bytes are over the limit of {BLOB_CAP}")
    try:
        tensors = safetensors.numpy.load(blob)
    except Exception as e:  # the Rust reader raises its own type, numpy and Python theirs
        raise EvidenceError(f"the tensors cannot be read: {type(e).__name__}") from e
    if len(tensors) > TENSORS_CAP or any(str(a.dtype) not in _DTYPES for a in tensors.values()):
        raise EvidenceError("too many tensors, or of a kind that is not asked for")
    return {name: np.asarray(a) for name, a in tensors.items()}


def pack_tensors(tensors: dict[str, Array]) -> bytes:
    """Arrays as safetensors bytes, in name order; empty for none."""
    if not tensors:
        return b""
    return safetensors.numpy.save({k: np.ascontiguousarray(tensors[k]) for k in sorted(tensors)})


def _error(found: _Error | None) -> ErrorInfo | None:
    return None if found is None else ErrorInfo(**found.model_dump())


def refused(why: str) -> Evidence:
    """The evidence that stands for a frame that was not taken."""
    return Evidence("error", error=ErrorInfo("EvidenceRefused", f"its answer was refused: {why}"))


def read_answer(header: bytes, blob: bytes, cap: int = HEADER_CAP) -> Evidence:
    """One probe's frame as `Evidence`; what cannot be taken is `refused`."""
    try:
        raw = _Answer.model_validate(parse_header(header, cap))
        tensors = parse_tensors(blob)
    except (EvidenceError, ValidationError) as e:
        return refused(_brief(e))
    return Evidence(
        raw.status,
        raw.data,
        tensors,
        _error(raw.error),
        raw.detail,
        Usage(**raw.usage.model_dump()),
        tuple(raw.needs),
    )


def read_load(header: bytes, cap: int = HEADER_CAP) -> LoadReport:
    """The frame that answers `load`."""
    try:
        raw = _LoadAnswer.model_validate(parse_header(header, cap))
    except (EvidenceError, ValidationError) as e:
        return LoadReport("crash", detail=f"its report was refused: {_brief(e)}")
    load = raw.load or _Load()
    errors = tuple(e for e in (_error(x) for x in load.errors) if e is not None)
    return LoadReport(
        raw.status,
        errors,
        tuple(load.names),
        raw.output,
        load.report,
        raw.detail,
        Usage(**raw.usage.model_dump()),
    )


def answer_frame(evidence: Evidence) -> tuple[bytes, bytes]:
    """Evidence as the frame that `read_answer` reads, under `AGAIN_CAP`."""
    plain = asdict(replace(evidence, tensors={}))
    del plain["tensors"]
    arrays = {k: np.asarray(a, order="C") for k, a in sorted(evidence.tensors.items())}
    return _compact(plain), safetensors.numpy.save(arrays) if arrays else b""


def load_frame(report: LoadReport) -> bytes:
    """A report as the header that `read_load` reads, under `AGAIN_CAP`."""
    plain = asdict(report)
    load = {"report": plain.pop("data")} | {k: plain.pop(k) for k in ("errors", "names")}
    return _compact({**plain, "load": load})


def _compact(header: Mapping[str, Json]) -> bytes:
    return json.dumps(header, allow_nan=False, separators=(",", ":")).encode()


def _brief(e: Exception) -> str:
    if isinstance(e, ValidationError):
        first = e.errors()[0]
        return f"{'.'.join(str(p) for p in first['loc'])[:100]}: {first['msg'][:100]}"
    return str(e)[:200]
