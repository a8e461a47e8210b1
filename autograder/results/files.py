"""What a grading leaves in OUT: results, evidence and the table, written whole or not at all.

    OUT/results/<student>/<assignment>.json               result.json of the contract
    OUT/evidence/<student>/<assignment>/load.json         how the run of the program went
    OUT/evidence/<student>/<assignment>/<digest>.json     what a probe returned,
    OUT/evidence/<student>/<assignment>/<digest>.safetensors   and its tensors
    OUT/evidence/<student>/<assignment>/index.json        what these files are of, and their digests
    OUT/grades.csv                                        the table

Theory. Every file is written beside its place and then moved there, so that a reader (or
the next run) sees an old file or a new one and never half of one. Folder names are slugs:
a student's name never becomes a path. Evidence is plain data, JSON and safetensors, never
pickle, so keeping it and reading it again is harmless. Its index is written last and says what
must be there, so that evidence that was torn, lost or put in another's place is known.
"""

from __future__ import annotations

import csv
import errno
import hashlib
import io
import json
import os
import shutil
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors

from ..errors import GraderError
from ..model import (
    RAISED,
    CheckResult,
    ErrorInfo,
    Evidence,
    Json,
    LoadReport,
    Result,
    Status,
    Usage,
)
from ..text import cell, clean, slug

COLUMNS = (
    "student", "assignment", "status", "score", "max_score",
    "bugs", "late", "submitted_at", "message",
)  # fmt: skip
UNKNOWN = "unknown-assignment"
INDEX = "index.json"
EVIDENCE_CAP = 64 << 20
EVIDENCE_TOTAL = 256 << 20
MESSAGE_CAP = 600
GONE = "no longer in the class folder"


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that it is there completely or not at all.

    Raises `GraderError` where it cannot be written, as on a full disk.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            part.write_bytes(data)
            os.replace(part, path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as e:
        closed = e.errno in (errno.EACCES, errno.EPERM, errno.EROFS)
        mend = "let it be written to" if closed else "make room there"
        raise GraderError(
            f"cannot be written: {e.strerror}",
            where=path,
            remedy=f"{mend}; the same command then goes on where it stopped",
        ) from e


def _dump(value: Json) -> bytes:
    text = json.dumps(value, indent=1, sort_keys=False, ensure_ascii=True, allow_nan=False)
    return text.encode() + b"\n"


# -- results -----------------------------------------------------------------------------------


def result_path(out: Path, student: str, assignment: str) -> Path:
    """Where the result of a student's assignment lies."""
    return out / "results" / slug(student) / f"{assignment or UNKNOWN}.json"


def write_result(out: Path, result: Result) -> None:
    """Write one result; a record of that student's that named no assignment gives way to it."""
    write_whole(result_path(out, result.student, result.assignment), _dump(result.to_json()))
    if result.assignment:
        result_path(out, result.student, "").unlink(missing_ok=True)


def read_results(out: Path) -> list[Result]:
    """Every result below OUT, by student and assignment. Raises `GraderError` for a broken file."""
    results, torn = readable(out)
    if torn:
        raise torn[0]
    return results


def readable(out: Path) -> tuple[list[Result], list[GraderError]]:
    """Every result below OUT that can be read, in order, and an error for each that cannot."""
    results, torn = [], []
    for path in sorted((out / "results").glob("*/*.json")):
        try:
            results.append(Result.from_json(json.loads(path.read_text(encoding="utf-8"))))
        except (OSError, ValueError, KeyError, TypeError) as e:
            what = f"is not a result of ours: {type(e).__name__}: {e}"
            remedy = "remove it and grade that student again"
            torn.append(GraderError(what, where=path, remedy=remedy))
    return in_order(results), torn


def in_order(results: Iterable[Result]) -> list[Result]:
    """By student, then by assignment."""
    return sorted(results, key=lambda r: (r.student.casefold(), r.student, r.assignment))


# -- evidence ----------------------------------------------------------------------------------


def evidence_folder(out: Path, student: str, assignment: str) -> Path:
    """Where the evidence of a student's assignment lies."""
    return out / "evidence" / slug(student) / (assignment or UNKNOWN)


def write_evidence(
    folder: Path, load: LoadReport, evidence: Mapping[str, Evidence], of: str = ""
) -> list[str]:
    """Keep what came out of one box, in place of whatever was there. `of` names what it belongs
    to (see `owner`).

    Returns a note for each piece too large to keep, which `regrade` will then lack.
    """
    if folder.exists():
        shutil.rmtree(folder)
    notes: list[str] = []
    total = 0
    for digest in sorted(evidence):
        files = evidence_files(digest, evidence[digest])
        size = sum(map(len, files.values()))
        total += size
        if size > EVIDENCE_CAP or total > EVIDENCE_TOTAL:
            notes.append(f"evidence {digest} is too large to keep")
            continue
        for name, raw in files.items():
            write_whole(folder / name, raw)
    write_whole(folder / "load.json", _dump(asdict(load)))
    index = {"of": of, "files": _digests(folder)}
    write_whole(folder / INDEX, _dump(index))
    return notes


def _digests(folder: Path) -> dict[str, str]:
    """The sha256 of each file of a folder of evidence, the index apart."""
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.iterdir())
        if path.name != INDEX
    }


def owner(folder: Path) -> str | None:
    """What the evidence in a folder belongs to; None where not every byte is as it was written."""
    try:
        index = json.loads((folder / INDEX).read_text(encoding="utf-8"))
        return str(index["of"]) if index["files"] == _digests(folder) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def evidence_files(digest: str, one: Evidence) -> dict[str, bytes]:
    """One piece of evidence as files by name, its tensors first."""
    arrays = {name: np.asarray(a, order="C") for name, a in one.tensors.items()}
    plain = asdict(replace(one, tensors={}))
    plain.pop("tensors")
    if not one.needs:
        plain.pop("needs")
    tensors = {f"{digest}.safetensors": save_tensors(arrays)} if arrays else {}
    return {**tensors, f"{digest}.json": _dump(plain)}


def write_one(folder: Path, digest: str, one: Evidence) -> None:
    """Keep one piece of evidence by itself."""
    for name, raw in evidence_files(digest, one).items():
        write_whole(folder / name, raw)


def read_one(folder: Path, digest: str) -> Evidence | None:
    """One piece of evidence, None where it was not kept. Raises `GraderError` for a broken one."""
    path = folder / f"{digest}.json"
    return _read_evidence(path) if path.is_file() else None


def read_load(folder: Path) -> LoadReport | None:
    """How the program's run went, or None where no evidence was kept."""
    path = folder / "load.json"
    if not path.is_file():
        return None
    raw = _json(path)
    try:
        raw["errors"] = tuple(ErrorInfo(**e) for e in raw["errors"])
        raw["names"] = tuple(raw["names"])
        raw["usage"] = Usage(**raw["usage"])
        return LoadReport(**raw)
    except (KeyError, TypeError) as e:
        raise _broken(path, e) from e


def read_evidence(folder: Path) -> dict[str, Evidence]:
    """The evidence kept in `folder`, by digest of the request it answers."""
    kept: dict[str, Evidence] = {}
    for path in sorted(folder.glob("*.json")):
        if path.name in ("load.json", INDEX):
            continue
        kept[path.stem] = _read_evidence(path)
    return kept


def loop_data(folder: Path) -> list[dict[str, Json]]:
    """Of the evidence kept in `folder`, the data of what followed a loop: it tells the order of
    things in `letters`. Tensors are left where they are. Raises `GraderError` for a broken file.
    """
    found = []
    for path in sorted(folder.glob("*.json")):
        if path.name in ("load.json", INDEX) or b'"letters"' not in path.read_bytes():
            continue
        data = _json(path).get("data")
        if isinstance(data, dict):
            found.append(data)
    return found


def _read_evidence(path: Path) -> Evidence:
    raw = _json(path)
    blob = path.with_suffix(".safetensors")
    try:
        tensors = load_tensors(blob.read_bytes()) if blob.is_file() else {}
    except (SafetensorError, OSError) as e:
        raise _broken(blob, e) from e
    try:
        raw["error"] = None if raw["error"] is None else ErrorInfo(**raw["error"])
        raw["usage"] = Usage(**raw["usage"])
        raw["needs"] = tuple(raw.get("needs", ()))
        return Evidence(**raw, tensors=tensors)
    except (KeyError, TypeError) as e:
        raise _broken(path, e) from e


def _json(path: Path) -> dict[str, Json]:
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as e:
        raise _broken(path, e) from e
    if not isinstance(raw, dict):
        raise _broken(path, TypeError("not an object"))
    return raw


def _broken(path: Path, error: Exception) -> GraderError:
    return GraderError(
        f"kept evidence cannot be read: {error}", where=path, remedy="grade that student again"
    )


# -- the table ---------------------------------------------------------------------------------


def summary(result: Result) -> str:
    """One line on why points are missing: what was observed, check by check. Of what could not be
    graded: why not.
    """
    if result.gone:
        return f"{GONE}; {summary(replace(result, gone=False))}".rstrip("; ")[:MESSAGE_CAP]
    decided = decisions(result)
    if result.status != "graded":
        ours = _said(c for c in result.checks if c.status is Status.UNGRADABLE)
        lines = [*decided, *(ours or result.notes)]
        return clean("; ".join(lines) or "could not be graded")[:MESSAGE_CAP]
    lines = _said(
        c
        for c in result.checks
        if c.status not in (Status.PASSED, Status.NOT_CHECKED) and (c.message or not c.adjusted)
    )
    lines = [*decided, *lines]
    waiting = sum(check.status is Status.NOT_CHECKED for check in result.checks)
    if waiting:
        lines.append(f"{waiting} more not checked")
    if result.late is not None and result.late.message:
        lines.insert(0, result.late.message)
    why = why_zero(result)
    if why and not any(why in line for line in lines):
        lines.insert(0, why)
    text = clean("; ".join(lines))
    return text if len(text) <= MESSAGE_CAP else text[: MESSAGE_CAP - 1] + "…"


def decisions(result: Result) -> list[str]:
    """What a person decided, a line each: about the whole, then check by check."""
    return [
        *(f"by a person: {a.words}" for a in result.adjusted),
        *(f"{c.title}, by a person: {a.words}" for c in result.checks for a in c.adjusted),
    ]


def why_zero(result: Result) -> str:
    """Why a graded result has no points at all, in one line; "" where it has some.

    A handout that nobody wrote in, a program that was stopped or that does not run, lateness; else
    what was observed most often.
    """
    if result.status != "graded" or result.score > 0 or result.max_score <= 0:
        return ""
    if result.late is not None and result.late.deducted > 0:
        return result.late.message
    if result.attention:
        return result.attention[0]
    end, _, detail = str(result.run.get("exit", "done")).partition(": ")
    if end not in ("done", "error"):
        return f"did not come to its end: {detail or end}"
    raised = next((n for n in result.notes if n.startswith(RAISED)), None)
    if raised is not None:
        return f"does not run: {raised.removeprefix(RAISED)}"
    said = [c.message for c in result.checks if c.message and c.status is not Status.NOT_CHECKED]
    return max(said, key=said.count, default="no check gave points")


def _said(checks: Iterable[CheckResult]) -> list[str]:
    """What is said of checks, once for each message."""
    said: dict[str, list[str]] = {}
    for check in checks:
        open_ = check.status is Status.BY_HAND
        message = "waits for a person who reads it" if open_ else check.message
        said.setdefault(message or str(check.status), []).append(check.title)
    return [
        f"{titles[0] if len(titles) == 1 else f'{len(titles)} checks'}: {message}"
        for message, titles in said.items()
    ]


def write_table(path: Path, results: Iterable[Result], roster: Sequence[str] = ()) -> None:
    """Write grades.csv: the same grades give the same bytes, and no cell runs as a formula.

    `score` is after the deduction for lateness, if any. An `ungradable` row has none: the
    grader's fault must not be read as a zero. Behind the other columns stand these of the `roster`.
    """
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow((*COLUMNS, *roster))
    for r in in_order(results):
        table.writerow(
            cell(value)
            for value in (
                r.student,
                r.assignment,
                r.status,
                r.score if r.scored else None,
                r.max_score,
                ";".join(r.bugs),
                None if r.late is None else r.late.late,
                r.submitted_at,
                summary(r),
                *(r.person.get(column, "") for column in roster),
            )
        )
    write_whole(path, text.getvalue().encode())
