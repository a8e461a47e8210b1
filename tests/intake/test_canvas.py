"""Canvas's zip of submissions: whose each file is, and what it was called."""

from __future__ import annotations

from pathlib import Path

from autograder.intake import canvas
from tests.handing import A4, notebook, put, take, tarred, zipped

MESSY: dict[str, str | bytes] = {
    "doejane_1234_5678_training_loop.ipynb": '{"cells": [], "nbformat": 4}',
    "müllerzoë_LATE_77_9001_training_loop.py": "late = 1",
    "lastly_55_9002_training_loop-2.py": "third = 1",
    "lastly_55_9000_helper-1.py": "helper = 1",
    "lastly_55_8999_figures-1.csv": "1,2",
    "o-brien_late_88_9100_my_final_training_loop_2024_10.py": "lower = 1",
    "team-a_99_9200_work.zip": b"",
    "writer_66_text.html": "<p>my code</p>",
    "linker_67_link.html": "<a>",
    "pdf_68_9300_homework.pdf": "%PDF",
    "roster.csv": "a,b",
    ".DS_Store": "x",
}


def messy(tmp_path: Path) -> Path:
    inner = zipped(tmp_path / "w.zip", {"training_loop.py": "t = 1", "lib/a.py": "a = 1"})
    files = {**MESSY, "team-a_99_9200_work.zip": inner.read_bytes()}
    return put(tmp_path / "class", files)


def test_a_class_is_taken_in(tmp_path: Path) -> None:
    found, refused = take(messy(tmp_path))
    assert sorted(found) == [
        "doejane_1234", "lastly_55", "müllerzoë_77", "o-brien_88", "team-a_99",
    ]  # fmt: skip
    assert {s.assignment for s in found.values()} == {A4}
    lastly = found["lastly_55"]
    assert sorted(lastly.files) == [
        "figures-1.csv", "figures.csv", "helper.py", "training_loop.py",
    ], "programs get back the names they import each other by"  # fmt: skip
    assert sorted(found["team-a_99"].files) == ["lib/a.py", "training_loop.py"]
    assert [s for s in found if found[s].origin["late"]] == ["müllerzoë_77", "o-brien_88"]
    assert found["doejane_1234"].origin == {
        "tool": "canvas",
        "user": "1234",
        "file": "doejane_1234_5678_training_loop.ipynb",
        "late": False,
    }
    assert sorted(refused) == ["linker_67", "pdf_68", "writer_66"]
    assert "typed in or linked" in refused["writer_66"].reason
    assert refused["pdf_68"].origin["user"] == "68"


def test_the_zip_and_its_folder_and_a_single_file_name_the_same_students(tmp_path: Path) -> None:
    folder = messy(tmp_path)
    archive = zipped(
        tmp_path / "submissions.zip", {p.name: p.read_bytes() for p in folder.iterdir()}
    )
    assert take(archive)[0].keys() == take(folder)[0].keys()
    (alone,) = take(folder / "doejane_1234_5678_training_loop.ipynb")[0].values()
    assert alone == take(folder)[0]["doejane_1234"]


def test_of_several_uploads_the_newest_is_graded(tmp_path: Path) -> None:
    files = {
        "ann_5_30_training_loop.py": "first = 1",
        "ann_5_10_training_loop-10.py": "last = 1",
        "ann_5_20_training_loop-2.py": "middle = 1",
    }
    found, _ = take(put(tmp_path, files))
    ann = found["ann_5"]
    assert ann.program.text == "last = 1" and list(ann.files) == ["training_loop.py"]
    assert "training_loop-2.py (uploaded again as training_loop-10.py)" in " ".join(ann.notes)
    assert ann.origin["file"] == "ann_5_10_training_loop-10.py"


def test_two_who_share_a_name_stay_two(tmp_path: Path) -> None:
    files = {"doe_1_10_training_loop.py": "a = 1", "doe_2_11_training_loop.py": "b = 1"}
    found, _ = take(put(tmp_path, files))
    assert sorted(found) == ["doe_1", "doe_2"]


def test_anonymous_work_keeps_its_pseudonym(tmp_path: Path) -> None:
    files = {
        "anon_x1Yz9_10_training_loop.py": "a = 1",
        "LATE_anon_b2B2b_11_training_loop.py": "b = 1",
        "anon_c3C3c_text.html": "no",
    }
    found, refused = take(put(tmp_path, files))
    assert sorted(found) == ["anon_b2B2b", "anon_x1Yz9"] and list(refused) == ["anon_c3C3c"]
    assert found["anon_b2B2b"].origin["late"] and not found["anon_x1Yz9"].origin["late"]
    assert found["anon_x1Yz9"].origin["user"] == "anon_x1Yz9"


def test_names_that_only_look_a_little_like_canvas_stay_plain(tmp_path: Path) -> None:
    files = {"alice.py": "1", "bob.py": "2", "carol_2024_10_work.py": "3"}
    found, _ = take(put(tmp_path, files), A4)
    assert sorted(found) == ["alice", "bob", "carol_2024_10_work"]


def test_no_name_is_too_long_or_too_odd(tmp_path: Path) -> None:
    """Numbers beyond reason, other scripts' digits, long runs: taken for plain names, at once."""
    for name in (
        "a_" + "9" * 5000 + "_1_x.py",
        "_" * 60_000,
        "a_١٢_٣_x.py",
        "a_1_" + "2_" * 30_000,
    ):
        assert canvas.parse(name) is None
    for name in ("__late_1_2_x.py", "a_LATE_late_1_2_3_4_x.py", "_1_2_3"):
        canvas.parse(name)
    assert canvas.parse("a_1_2_") is None and canvas.parse("1_2_x.py") is None


def test_a_stray_file_among_canvas_names_is_still_taken(tmp_path: Path) -> None:
    files = {
        "a_1_10_training_loop.py": "1", "b_2_11_training_loop.py": "2", "training_loop.py": "3",
    }  # fmt: skip
    found, _ = take(put(tmp_path, files))
    assert sorted(found) == ["a_1", "b_2", "training_loop"]


def test_a_file_that_is_named_like_another_students_stays_its_own_students(tmp_path: Path) -> None:
    files = {
        "alice_1_10_training_loop.py": "alice = 1",
        "mallory_6_11_alice_1_10_training_loop.py": "mallory = 1",
        "zed_7_12_LATE_1_10_training_loop.py": "zed = 1",
        "anon_a1_13_training_loop.py": "anon = 1",
        "eve_8_14_anon_a1_13_training_loop.py": "eve = 1",
    }
    found, refused = take(put(tmp_path, files), A4)
    assert not refused
    assert {s: w.program.text for s, w in found.items()} == {
        "alice_1": "alice = 1",
        "mallory_6": "mallory = 1",
        "zed_7": "zed = 1",
        "anon_a1": "anon = 1",
        "eve_8": "eve = 1",
    }
    assert not found["zed_7"].origin["late"] and found["eve_8"].origin["user"] == "8"


def test_archives_of_every_kind_and_odd_suffixes_are_taken(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "cy_1_10_work-2.tar.gz": tarred({"training_loop.py": "new = 1"}, "w:gz"),
        "cy_1_9_work-1.tar.gz": tarred({"training_loop.py": "old = 1"}, "w:gz"),
        "dee_2_11_lab.json": notebook("n = 1"),
        "eve_3_12_training_loop.ipynb.txt": notebook("n = 1"),
        "fay_4_13_essay.docx": "PK",
    }
    found, refused = take(put(tmp_path, files), A4)
    assert sorted(found) == ["cy_1", "dee_2", "eve_3"] and sorted(refused) == ["fay_4"]
    assert found["cy_1"].program.text == "new = 1"
    assert "essay.docx (a zip archive)" in refused["fay_4"].reason
