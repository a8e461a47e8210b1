"""Classes for the tests of other tools' layouts: files, archives, and grades on their way back."""

from __future__ import annotations

import io
import json
import os
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

from autograder.course.config import Course
from autograder.exports.base import Export
from autograder.intake.collect import Refused, collect
from autograder.model import CheckResult, Lateness, Result, Status, Submission, Visibility
from autograder.results import files as kept

A4, A5 = "04-training-loop", "05-five-beats"
KNOWN = {A4: "training_loop", A5: "five_beats"}


def put(root: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write `files` below `root`."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return root


def packed(files: Mapping[str, str | bytes]) -> bytes:
    """A zip archive of `files`."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        for name, content in files.items():
            z.writestr(name, content)
    return out.getvalue()


def zipped(path: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write `files` into a zip archive."""
    path.write_bytes(packed(files))
    return path


def take(
    path: Path, assignment: str | None = None
) -> tuple[dict[str, Submission], dict[str, Refused]]:
    """Submissions and refusals by student; each has at most one of both here."""
    found, refused = collect([path], assignment, KNOWN)
    assert len({s.student for s in found}) == len(found)
    return {s.student: s for s in found}, {r.student: r for r in refused}


def graded(student: str, score: float = 16.0, origin: Mapping[str, Any] | None = None) -> Result:
    """A result of 20 points with one hidden check."""
    check = CheckResult(
        "zero", "Gradients are cleared", 1, Status.PARTIAL, score, 20.0, Visibility.HIDDEN,
        ("missing_zero_grad",), "the <gradients> of step 1 were still there", "help",
    )  # fmt: skip
    return Result(A4, student, "sha256:1", "graded", score, 20.0, (check,), origin=origin or {})


def lost(student: str, origin: Mapping[str, Any] | None = None) -> Result:
    """A result that is none."""
    return Result(
        A4, student, "", "ungradable", 0.0, 20.0, (), notes=("no program",), origin=origin or {}
    )


def late(result: Result, lost_points: float) -> Result:
    """`result` after a deduction."""
    from dataclasses import replace

    lateness = Lateness(result.score, True, "2026-10-12T23:59:00+02:00", 60, 1, lost_points, "late")
    return replace(result, score=result.score - lost_points, late=lateness)


def order(tmp: Path, *results: Result, **more: Any) -> Export:
    """An export of `results` into `tmp/to`, with pages that name their student."""
    given = {"hidden": more.pop("hidden", "full")}
    course = Course.model_validate({"course": "c", "assignments": [A4, A5], "feedback": given})
    return Export(
        out=tmp,
        to=tmp / "to",
        results=tuple(kept.in_order(results)),
        course=course,
        root=tmp,
        page=lambda r: f"<p>{r.student}</p>".encode(),
        **more,
    )


def members(path: Path) -> dict[str, bytes]:
    """The members of an archive."""
    with zipfile.ZipFile(path) as z:
        return {name: z.read(name) for name in z.namelist()}


def notebook(*cells: str) -> str:
    """A notebook of these code cells, as an editor writes it."""
    listed = [{"cell_type": "code", "source": c, "metadata": {}, "outputs": []} for c in cells]
    book = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": listed}
    return json.dumps(book)


def tarred(files: Mapping[str, str | bytes], mode: Literal["w", "w:gz", "w:xz", "w:bz2"]) -> bytes:
    """A tar archive of `files`, packed as `mode` says."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as tar:
        for name, content in files.items():
            raw = content if isinstance(content, bytes) else content.encode()
            info = tarfile.TarInfo(name)
            info.size = len(raw)
            tar.addfile(info, io.BytesIO(raw))
    return out.getvalue()


def aged(root: Path, *names: str) -> Path:
    """Give files below `root` times an hour apart, the last named the newest."""
    for hour, name in enumerate(names):
        when = 2_000_000_000 + 3600 * hour
        os.utime(root / name, (when, when))
    return root


def as_nobody(do: Callable[[], object]) -> str:
    """The error that `do` raises in a process of another user, "" where it raises none."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
            do()
        except Exception as e:  # noqa: BLE001 - whatever it is, it is told
            os.write(write, f"{e}".encode() or repr(e).encode())
        finally:
            os._exit(0)
    os.close(write)
    os.waitpid(pid, 0)
    with os.fdopen(read, "rb") as f:
        return f.read().decode()
