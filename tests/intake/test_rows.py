"""Nobody vanishes: what lies in a class's folder is read, or makes a row that says what it is."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Literal

import pytest

from tests.handing import A4, notebook, packed, put, take, tarred

PACKED = {"tar": "w", "tar.gz": "w:gz", "tgz": "w:gz", "tar.xz": "w:xz", "tar.bz2": "w:bz2"}
DOCX = packed({"[Content_Types].xml": "<x/>", "word/document.xml": "<w/>"})


@pytest.mark.parametrize("suffix", [*PACKED, "zip", "TAR.GZ"])
@pytest.mark.parametrize("wrap", ["", "./", "work/", "alice-main/src/"])
def test_every_usual_archive_is_read(tmp_path: Path, suffix: str, wrap: str) -> None:
    files = {f"{wrap}training_loop.py": "t = 1", f"{wrap}lib/helper.py": "h = 1"}
    mode: Literal["w", "w:gz", "w:xz", "w:bz2"] = PACKED.get(suffix.lower(), "w")  # type: ignore[assignment]
    raw = packed(files) if suffix == "zip" else tarred(files, mode)
    found, refused = take(put(tmp_path, {f"cy.{suffix}": raw, "bob.py": "b = 1"}), A4)
    assert not refused and sorted(found) == ["bob", "cy"]
    assert sorted(found["cy"].files) == ["lib/helper.py", "training_loop.py"]
    (tmp_path / f"cy.{suffix}").rename(tmp_path / "cy.zip")
    assert take(tmp_path, A4)[0]["cy"].program.text == "t = 1", "the contents say what it is"


@pytest.mark.parametrize("suffix", PACKED)
def test_an_archive_in_a_students_folder_and_a_whole_class(tmp_path: Path, suffix: str) -> None:
    own = tarred({"training_loop.py": "t = 1"}, PACKED[suffix])  # type: ignore[arg-type]
    whole = {f"class/alice/work.{suffix}": own, "class/bob.py": "b = 1", "class/eve.pdf": "%PDF-1"}
    put(tmp_path, {f"class.{suffix}": tarred(whole, PACKED[suffix])})  # type: ignore[arg-type]
    found, refused = take(tmp_path / f"class.{suffix}", A4)
    assert sorted(found) == ["alice", "bob"] and sorted(refused) == ["eve"]
    assert found["alice"].program.text == "t = 1"


@pytest.mark.parametrize(
    "name",
    ["eve.ipynb.json", "eve.json", "eve.ipynb.txt", "eve.txt", "eve", "eve.ipynb.json.txt",
     "eve.IPYNB.TXT"],
)  # fmt: skip
def test_a_notebook_under_another_suffix_is_read(tmp_path: Path, name: str) -> None:
    found, refused = take(put(tmp_path, {name: notebook("n = 1"), "bob.py": "b = 1"}), A4)
    assert not refused and sorted(found) == ["bob", "eve"]
    eve = found["eve"]
    assert eve.program.kind == "notebook" and eve.program.main.lower() == "eve.ipynb"
    assert f"{name} was read as {eve.program.main}" in eve.notes


def test_a_script_under_another_suffix_is_read(tmp_path: Path) -> None:
    found, refused = take(put(tmp_path, {"eve/training_loop.py.txt": "n = 1"}))
    assert not refused and found["eve"].program.main == "training_loop.py"
    assert dict(found["eve"].files) == {"training_loop.py": b"n = 1"}


def test_json_that_is_no_notebook_stays_data(tmp_path: Path) -> None:
    files = {"eve/training_loop.py": "n = 1", "eve/config.json": '{"lr": 0.1}', "eve/log.txt": "x"}
    found, _ = take(put(tmp_path, files), A4)
    assert sorted(found["eve"].files) == ["config.json", "log.txt", "training_loop.py"]


KINDS: dict[str, tuple[str | bytes, str]] = {
    "a.pdf": ("%PDF-1.7", "a PDF"),
    "b.docx": (DOCX, "a Word file"),
    "c.doc": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "an old Office file"),
    "d.html": ("<!DOCTYPE html><p>", "a web page (HTML)"),
    "e.txt": ("here is my code", "a text file"),
    "f.md": ("# Report", "a text (Markdown)"),
    "g.json": ('{"lr": 1}', "a JSON file that is no notebook"),
    "h.png": (b"\x89PNG\r\n\x1a\n" + bytes(9), "a picture"),
    "i.heic": (b"\0\0\0\x18ftypheic" + bytes(9), "a picture or a film"),
    "j.rar": (b"Rar!\x1a\x07\x00", "a RAR archive"),
    "k.7z": (b"7z\xbc\xaf'\x1c", "a 7-Zip archive"),
    "l.pt": (packed({"archive/data.pkl": b"\x80"}), "a checkpoint"),
    "m.ipynb.crdownload": ('{"cel', "an unfinished download"),
    "n.gdoc": ('{"url": "x"}', "a link to Google Drive"),
    "o": (b"\x00\x01\x02\x03", "a file of an unknown kind"),
    "p.tex": (r"\documentclass", "a text (LaTeX)"),
    "q.csv": ("x,y", "a table (CSV)"),
    "r.r": ("x <- 1", "an R script"),
    "s.pyc": (b"\xa7\r\r\n" + bytes(9), "compiled Python"),
    "t.txt": ("", "an empty file"),
    "u.bin": (bytes(64), "nothing but zeros"),
    "v.pages": (packed({"Index/Document.iwa": b"x"}), "a file of Apple's office"),
    "w.pdf": (b"\x89PNG\r\n\x1a\n", "a picture"),
    "x.ipynb.gz": (b"\x1f\x8b\x08" + bytes(9), "a packed file"),
}


def test_whatever_else_lies_there_makes_a_row_that_says_what_it_is(tmp_path: Path) -> None:
    for name, (raw, _) in KINDS.items():
        put(tmp_path, {name: raw})
    found, refused = take(tmp_path, A4)
    assert not found
    reasons = {r.path.rpartition("/")[2]: r.reason for r in refused.values()}
    assert sorted(reasons) == sorted(KINDS)
    for name, (_, words) in KINDS.items():
        assert words in reasons[name], name
        assert f"{name} is not a notebook or a script" in reasons[name]


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({}, "an empty folder"),
        ({"report.pdf": "%PDF-1"}, "holds no notebook and no script, but report.pdf (a PDF)"),
        ({"a.docx": DOCX, "b.txt": "x"}, "a.docx (a Word file), b.txt (a text file)"),
        ({"data/MNIST/raw/t10k-images-idx3-ubyte": "x"}, "data/ (a data set"),
        ({"src/notes.md": "x", "img/a.png": b"\x89PNG"}, "img/ (a folder), src/ (a folder)"),
        ({"inner/deeper/report.pdf": "%PDF-1"}, "inner/ (a folder)"),
        ({"work.rar": b"Rar!\x1a\x07\x00"}, "work.rar (a RAR archive)"),
        ({"work.zip": b"PK\x03\x04torn"}, "work.zip: is not a readable zip archive"),
    ],
)
def test_a_folder_without_work_makes_a_row(
    tmp_path: Path, files: dict[str, str | bytes], words: str
) -> None:
    put(tmp_path, {"bob/training_loop.py": "1"})
    (tmp_path / "gus").mkdir()
    put(tmp_path / "gus", files)
    for assignment in (A4, None):
        found, refused = take(tmp_path, assignment)
        assert sorted(found) == ["bob"] and sorted(refused) == ["gus"], assignment
        assert words in refused["gus"].reason


def test_what_is_the_classs_own_makes_no_row(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "README.md": "#", "roster.csv": "a,b", "grades.csv": "a", "Thumbs.db": b"x",
        ".gitignore": "*", "index.html": "<html>", "times.csv": "a", "LICENSE": "MIT",
        "~$essay.docx": b"x",
    }  # fmt: skip
    found, refused = take(put(tmp_path, {**files, "bob.py": "1"}), A4)
    assert sorted(found) == ["bob"] and not refused


def test_links_and_pipes_make_rows(tmp_path: Path) -> None:
    put(tmp_path / "elsewhere", {"training_loop.py": "1", "x.py": "1"})
    students = put(tmp_path / "class", {"bob.py": "1"})
    (students / "ann").symlink_to(tmp_path / "elsewhere")
    (students / "cy.py").symlink_to(tmp_path / "elsewhere" / "x.py")
    os.mkfifo(students / "dee.ipynb")
    found, refused = take(students, A4)
    assert sorted(found) == ["bob"] and sorted(refused) == ["ann", "cy", "dee"]
    assert "links are not followed" in refused["ann"].reason
    assert "not a plain file" in refused["dee"].reason


def test_a_folder_that_cannot_be_listed_costs_nobody_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(
        tmp_path,
        {"ann/training_loop.py": "1", "bob/training_loop.py": "1", "cy/training_loop.py": "1"},
    )
    put(tmp_path, {"cy/private/x.txt": "1"})
    closed = {tmp_path / "bob", tmp_path / "cy" / "private"}
    real = os.scandir

    def scandir(path: Path) -> object:
        if path in closed:
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    found, refused = take(tmp_path, A4)
    assert sorted(found) == ["ann", "cy"] and sorted(refused) == ["bob"]
    assert "cannot be listed: Permission denied" in refused["bob"].reason
    assert "private/ (cannot be listed" in " ".join(found["cy"].notes)


def test_a_file_that_cannot_be_opened_is_its_students_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, {"ann.py": "1", "bob/training_loop.py": "1"})
    real = os.open

    def closed(path: str | Path, flags: int, *more: int) -> int:
        if str(path).endswith("ann.py"):
            raise PermissionError(13, "Permission denied")
        return real(path, flags, *more)

    monkeypatch.setattr(os, "open", closed)
    found, refused = take(tmp_path, A4)
    assert sorted(found) == ["bob"] and "Permission denied" in refused["ann"].reason


def test_one_students_crowd_of_files_costs_nobody_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autograder.intake.tree.MAX_ENTRIES", 20)
    put(tmp_path, {f"ann/deep/{i}.txt": "1" for i in range(30)})
    put(tmp_path, {f"s{i}/training_loop.py": "1" for i in range(15)})
    found, refused = take(tmp_path, A4)
    assert len(found) == 15 and list(refused) == ["ann"]
    assert "more than 20 files" in refused["ann"].reason


def test_one_students_bomb_costs_nobody_else(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "ann/training_loop.py": b"#" * (9 << 20),
        "bob/training_loop.py": "b = 1",
        "cy/training_loop.py": "c = 1",
        "cy/zeros.bin": bytes(9 << 20),
    }
    (tmp_path / "class.zip").write_bytes(packed(files))
    found, refused = take(tmp_path / "class.zip", A4)
    assert sorted(found) == ["bob", "cy"] and "bomb" in refused["ann"].reason
    assert "zeros.bin (packed like a zip bomb" in found["cy"].notes[0]


@pytest.mark.parametrize(
    ("name", "raw", "words"),
    [
        ("training_loop.py", b"%PDF-1.4\n%\xe2\xe3\xcf\xd3", "is a PDF under a program's name"),
        ("training_loop.py", DOCX, "is a Word file under a program's name"),
        ("training_loop.ipynb", DOCX, "is a Word file under a program's name"),
        ("training_loop.py", bytes(500), "holds bytes of zero"),
        ("training_loop.py", b"x = 1\n" + bytes(500), "holds bytes of zero"),
        ("training_loop.ipynb", bytes(500), "holds bytes of zero"),
        ("training_loop.ipynb", b"<!DOCTYPE html><title>Log in", "is a web page (HTML)"),
        ("training_loop.py", b"\n<html>", "is a web page (HTML)"),
    ],
)
def test_what_is_no_program_under_a_programs_name(
    tmp_path: Path, name: str, raw: bytes, words: str
) -> None:
    found, refused = take(put(tmp_path, {f"eve/{name}": raw, "bob/training_loop.py": "1"}), A4)
    assert sorted(found) == ["bob"] and words in refused["eve"].reason


@pytest.mark.parametrize("text", ["PK = 3", "MZ = 1", "GIF89a = 1", "BZh = 2", "x = '\\x00'"])
def test_programs_that_only_begin_oddly_are_programs(tmp_path: Path, text: str) -> None:
    found, refused = take(put(tmp_path, {"eve/training_loop.py": text}), A4)
    assert not refused and found["eve"].program.text == text


def test_names_in_zips_are_read_as_they_were_meant(tmp_path: Path) -> None:
    """Without the flag that says UTF-8, as macOS packs; and in a code page, as old Windows does."""
    import io
    import zipfile

    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as z:
        for name in ("Jörg/training_loop.py", "Đặng/training_loop.py", "Zoe/training_loop.py"):
            z.writestr(name, "x = 1")
    raw = bytearray(out.getvalue())
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = 0
        while (start := raw.find(mark, start)) >= 0:
            raw[start + at + 1] &= ~0x08
            start += 4
    (tmp_path / "class.zip").write_bytes(bytes(raw))
    found, refused = take(tmp_path / "class.zip", A4)
    assert sorted(found) == ["Jörg", "Zoe", "Đặng"] and not refused
    old = bytes(raw).replace("Jörg".encode(), "Jörgx".encode("cp437"))
    (tmp_path / "old.zip").write_bytes(old)
    assert "Jörgx" in take(tmp_path / "old.zip", A4)[0]


def test_names_on_disk_that_are_no_utf_8_are_readable(tmp_path: Path) -> None:
    folder = os.fsencode(tmp_path) + b"/J\xf6rg"
    os.mkdir(folder)
    with open(folder + b"/training_loop.py", "wb") as f:
        f.write(b"x = 1")
    found, _ = take(tmp_path, A4)
    assert list(found) == ["Jörg"]
    assert stat.S_ISDIR(os.stat(folder).st_mode)
