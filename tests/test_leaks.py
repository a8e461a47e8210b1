"""The leak scan: wherever a secret is planted in a release, it is found; what is shown is none."""

from __future__ import annotations

import base64
import gzip
import html
import io
import json
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from autograder import release
from autograder.errors import SourceError
from autograder.leaks import Secret, scan, secrets_of, texts_of
from autograder.notebook import read_master
from tests.harness import ROOT
from tests.test_release import circles, real, text_of, write_master

IDS = ("04-training-loop", "05-five-beats")
LINE = "secret_radius = 41"
PLANTS = {
    "a line of a solution": LINE,
    "a line of a hidden test": 'grade("hidden_probe")',
    "a threshold": "0.987654",
    "a rounded calibration": "0.8765",
    "the seed": "271828",
    "a hidden title": "Only staff read this title",
    "a marker": "### BEGIN SOLUTION",
}


def secrets(tmp_path: Path) -> list[Secret]:
    cells = read_master(write_master(tmp_path / "s") / "circles.py")
    return secrets_of(circles(), cells, [0.8765])


def zipped(text: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inner/notes.txt", text)
    return out.getvalue()


def tarred(text: str) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        info = tarfile.TarInfo("notes.txt")
        info.size = len(text.encode())
        archive.addfile(info, io.BytesIO(text.encode()))
    return out.getvalue()


def png(text: str) -> bytes:
    body = b"Comment\0\0" + zlib.compress(text.encode())
    chunk = len(body).to_bytes(4, "big") + b"zTXt" + body + b"\0\0\0\0"
    return b"\x89PNG\r\n\x1a\n" + chunk


def notebook(**cell: object) -> bytes:
    made = {"cell_type": "code", "source": [], "metadata": {}, "outputs": [], **cell}
    return json.dumps({"cells": [made], "metadata": {}, "nbformat": 4}).encode()


def output(text: str) -> bytes:
    return notebook(
        outputs=[{"output_type": "stream", "name": "stdout", "text": [text[:7], text[7:]]}]
    )


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


PLACES: dict[str, Callable[[str], tuple[str, bytes]]] = {
    "a text": lambda t: ("README.md", f"before\n\n  {t}   # kept\n".encode()),
    "with other spaces": lambda t: ("x.py", f"if True:\n\t{t.replace(' ', '  ')}\n".encode()),
    "a cell": lambda t: ("x.ipynb", notebook(source=["x = 1\n", t])),
    "escaped": lambda t: ("x.ipynb", notebook(source="".join(t)).replace(b"s", b"\\u0073")),
    "an output": lambda t: ("x.ipynb", output(t)),
    "metadata": lambda t: ("x.ipynb", notebook(metadata={"note": {"deep": [1, {"a": t}]}})),
    "a metadata key": lambda t: ("x.ipynb", notebook(metadata={t: 1})),
    "an attachment": lambda t: (
        "x.ipynb",
        notebook(attachments={"a.txt": {"text/plain": encoded(t + " " * 24)}}),
    ),
    "a zipped attachment": lambda t: (
        "x.ipynb",
        notebook(attachments={"a": {"x": base64.b64encode(zipped(t)).decode()}}),
    ),
    "a picture": lambda t: (
        "img/a.svg",
        f"<svg><text>{html.escape(t)}</text></svg>".encode(),
    ),
    "a png": lambda t: ("img/a.png", png(t)),
    "a zip": lambda t: ("a.zip", zipped(t)),
    "a zip in a zip": lambda t: ("a.zip", _in_zip(zipped(t))),
    "gzip": lambda t: ("a.gz", gzip.compress(t.encode())),
    "a tar": lambda t: ("a.tgz", tarred(t)),
    "a zip comment": lambda t: ("a.zip", _commented(t)),
}


def _in_zip(raw: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("b.zip", raw)
    return out.getvalue()


def _commented(text: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.comment = text.encode()
        archive.writestr("x", "")
    return out.getvalue()


@pytest.mark.parametrize("plant", PLANTS)
@pytest.mark.parametrize("place", PLACES)
def test_a_secret_is_found_wherever_it_is_planted(tmp_path: Path, place: str, plant: str) -> None:
    name, raw = PLACES[place](PLANTS[plant])
    (leak,) = [x for x in scan({name: raw}, secrets(tmp_path)) if x.secret.text in PLANTS[plant]]
    assert leak.file == name and leak.message and leak.secret.remedy
    if plant == "a line of a solution":
        assert leak.secret.line == 10


def test_the_release_itself_leaks_nothing(tmp_path: Path) -> None:
    source = write_master(tmp_path / "s")
    release.build(source, circles(), tmp_path / "r")
    files = {n: t.encode() for n, t in text_of(tmp_path / "r").items()}
    assert scan(files, secrets(tmp_path)) == []


@pytest.mark.parametrize("name", IDS)
def test_every_hidden_line_of_the_course_would_be_found(name: str) -> None:
    source, assignment = real(name)
    found = secrets_of(assignment, read_master(release.master_path(source, assignment)))
    lines = [s for s in found if s.rule == "a hidden line"]
    assert len(lines) > 30
    folder = ROOT / "release" / name
    book = json.loads((folder / f"{assignment.module}.ipynb").read_text(encoding="utf-8"))
    for secret in lines:
        book["metadata"]["planted"] = f"# {secret.text}"
        leaks = scan({"x.ipynb": json.dumps(book).encode()}, found)
        assert secret in [leak.secret for leak in leaks], secret.text


def test_what_is_shown_on_purpose_is_no_secret(tmp_path: Path) -> None:
    source = write_master(tmp_path / "s")
    path = source / "circles.py"
    path.write_text(
        path.read_text().replace("# # Circles", f"# # Circles\n#\n# Begin with `{LINE}`, 0.987654")
    )
    found = secrets_of(circles(), read_master(path))
    assert {LINE, "0.987654"}.isdisjoint(s.text for s in found)
    assert {"271828", 'grade("hidden_probe")'} <= {s.text for s in found}


def test_a_bare_call_is_in_every_picture_of_the_loop() -> None:
    source, assignment = real("04-training-loop")
    found = {s.text for s in secrets_of(assignment, read_master(source / "training_loop.py"))}
    assert "model.train()" not in found
    assert "loss = loss_fn(logits, labels)" in found


def test_a_picture_with_a_hidden_line_stops_the_release(tmp_path: Path) -> None:
    source = write_master(tmp_path / "s")
    (source / "img" / "circle.svg").write_text(f"<svg><text>{LINE}</text></svg>")
    with pytest.raises(SourceError, match=r"a hidden line would stand in img/circle\.svg") as e:
        release.build(source, circles(), tmp_path / "r")
    assert e.value.line == 10 and e.value.remedy and not (tmp_path / "r").exists()


@pytest.mark.parametrize(
    "raw", [b"PK\x03\x04broken", b"\x1f\x8bbroken", b"\x89PNG\r\n\x1a\n\0", b""]
)
def test_a_broken_archive_is_only_text(raw: bytes) -> None:
    assert [part for part, _ in texts_of("x.bin", raw)] == [""]
