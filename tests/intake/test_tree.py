"""What is handed in, as a tree of files: links, large files, and archives that attack."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.handing import A4, packed, put, take


def test_links_are_never_followed(tmp_path: Path) -> None:
    secret = put(tmp_path / "outside", {"secret.txt": "secret"})
    students = put(tmp_path / "class", {"alice/training_loop.py": "1"})
    (students / "alice" / "stolen.txt").symlink_to(secret / "secret.txt")
    (students / "alice" / "folder").symlink_to(secret)
    (students / "mallory.py").symlink_to(secret / "secret.txt")
    os.mkfifo(students / "alice" / "pipe.py")
    found, _ = take(students, A4)
    assert list(found) == ["alice"]
    assert list(found["alice"].files) == ["training_loop.py"]
    assert "links are not followed" in found["alice"].notes[0]


def test_large_files_are_left_out_with_a_note(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autograder.intake.tree.FILE_CAP", 1 << 20)
    monkeypatch.setattr("autograder.intake.tree.TOTAL_CAP", 3 << 19)
    big, half = b"x" * ((1 << 20) + 1), b"x" * (1 << 20)
    put(
        tmp_path,
        {
            "alice/training_loop.py": "1",
            "alice/a.bin": half,
            "alice/b.bin": half,
            "alice/c.bin": big,
        },
    )
    found, _ = take(tmp_path, A4)
    assert sorted(found["alice"].files) == ["a.bin", "training_loop.py"]
    assert "b.bin (more than 1 MiB in all)" in found["alice"].notes[0]
    assert "c.bin (1 MiB, more than 1)" in found["alice"].notes[0]


# -- archives that attack ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "member", ["../evil.py", "/etc/evil.py", "a/../../evil.py", "C:\\evil.py", "..\\evil.py"]
)
def test_zip_slip_is_refused(tmp_path: Path, member: str) -> None:
    put(tmp_path, {"alice.zip": packed({member: "1", "training_loop.py": "2"}), "bob.py": "1"})
    found, refused = take(tmp_path, A4)
    assert list(found) == ["bob"], "the class goes on"
    assert "outside" in refused["alice"].reason


def test_a_bomb_is_refused(tmp_path: Path) -> None:
    put(tmp_path, {"alice.zip": packed({"training_loop.py": b"#" * (9 << 20)})})
    found, refused = take(tmp_path, A4)
    assert found == {} and "bomb" in refused["alice"].reason


def test_a_zip_that_unpacks_to_too_much_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autograder.intake.collect.STUDENT_ZIP_CAP", 1 << 20)
    put(
        tmp_path,
        {
            "alice.zip": packed(
                {"training_loop.py": "1", "a.bin": os.urandom(700_000), "b.bin": b"x" * 700_000}
            )
        },
    )
    found, refused = take(tmp_path, A4)
    assert found == {} and "unpack to more than 1 MiB" in refused["alice"].reason


def test_a_lying_size_is_not_believed(tmp_path: Path) -> None:
    raw = bytearray(packed({"training_loop.py": b"x" * 1000}))
    at = raw.rindex(b"PK\x01\x02")
    raw[at + 24 : at + 28] = (10).to_bytes(4, "little")
    put(tmp_path, {"alice.zip": bytes(raw)})
    found, refused = take(tmp_path, A4)
    assert found == {} and "cannot be read" in refused["alice"].reason


def test_encrypted_broken_and_crowded_zips_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = bytearray(packed({"training_loop.py": b"x"}))
    raw[raw.rindex(b"PK\x01\x02") + 8] |= 1
    monkeypatch.setattr("autograder.intake.tree.ZIP_MEMBERS", 5)
    crowd = {f"{i}.txt": "1" for i in range(6)}
    put(tmp_path, {"alice.zip": bytes(raw), "bob.zip": b"PK not", "carol.zip": packed(crowd)})
    found, refused = take(tmp_path, A4)
    assert found == {}
    assert "encrypted" in refused["alice"].reason and "not a readable zip" in refused["bob"].reason
    assert "more than 5" in refused["carol"].reason


def test_a_crowd_is_refused_before_its_list_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A list of a million members takes twenty seconds to read; the recorded number may lie."""
    monkeypatch.setattr("autograder.intake.tree.ZIP_MEMBERS", 50)
    few = {f"f{i}.txt": "" for i in range(49)} | {"training_loop.py": "1"}
    raw = bytearray(packed({f"f{i}.txt": "" for i in range(51)} | {"training_loop.py": "1"}))
    inside = packed({"a.zip": packed({f"g{i}": "" for i in range(60)}), "training_loop.py": "1"})
    lie = bytes(raw[:-12]) + (7).to_bytes(2, "little") * 2 + bytes(raw[-8:])
    fields = bytearray(raw)
    fields[-14:-10] = b"PK\5\6"  # a second end in the first one's numbers
    commented = bytes(raw[:-2]) + (30).to_bytes(2, "little") + b"PK\5\6" + bytes(26)
    class_zip: dict[str, str | bytes] = {
        "few.zip": packed(few),
        "inside.zip": inside,
        "bob.py": "1",
    }
    odd: dict[str, str | bytes] = {
        "crowd.zip": bytes(raw),
        "lie.zip": lie,
        "end.zip": bytes(fields),
        "note.zip": commented,
    }
    opened: list[int] = []
    true = zipfile.ZipFile

    def counted(*args: Any, **kwargs: Any) -> Any:
        made = true(*args, **kwargs)
        opened.append(len(made.infolist()))
        return made

    monkeypatch.setattr(zipfile, "ZipFile", counted)
    put(tmp_path, class_zip | odd)
    found, refused = take(tmp_path, A4)
    assert sorted(found) == ["bob", "few", "inside"]
    assert sorted(refused) == ["crowd", "end", "lie", "note"]
    assert max(opened) <= 50, "a crowd's list was read"


def test_many_small_bombs_are_a_bomb(tmp_path: Path) -> None:
    blank = b"\n" * (2 << 20)
    tight = packed({f"w{i}.txt": blank for i in range(6)} | {"training_loop.py": "1"})
    loose = packed({f"w{i}.txt": os.urandom(2 << 20) for i in range(6)} | {"training_loop.py": "1"})
    put(tmp_path, {"alice.zip": tight, "bob.zip": loose})
    found, refused = take(tmp_path, A4)
    assert list(found) == ["bob"] and "bomb" in refused["alice"].reason


def test_links_in_zips_are_left_out(tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as z:
        z.writestr("training_loop.py", "1")
        link = zipfile.ZipInfo("passwd")
        link.external_attr = 0o120777 << 16
        z.writestr(link, "/etc/passwd")
    put(tmp_path, {"alice.zip": out.getvalue()})
    found, _ = take(tmp_path, A4)
    assert list(found["alice"].files) == ["training_loop.py"]


# -- tars that attack ----------------------------------------------------------------------------


def tar(*infos: tarfile.TarInfo, raw: bytes = b"") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as made:
        for info in infos:
            made.addfile(info, io.BytesIO(raw[: info.size]))
    return out.getvalue()


def entry(
    name: str, size: int = 0, kind: bytes = tarfile.REGTYPE, link: str = ""
) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size, info.type, info.linkname = size, kind, link
    return info


@pytest.mark.parametrize("member", ["../evil.py", "/etc/evil.py", "a/../../evil.py"])
def test_a_tar_that_would_write_outside_is_refused(tmp_path: Path, member: str) -> None:
    put(tmp_path, {"alice.tar": tar(entry(member), entry("training_loop.py")), "bob.py": "1"})
    found, refused = take(tmp_path, A4)
    assert list(found) == ["bob"] and "outside" in refused["alice"].reason


def test_links_devices_and_holes_in_a_tar_are_left_out(tmp_path: Path) -> None:
    made = tar(
        entry("training_loop.py"),
        entry("passwd", kind=tarfile.SYMTYPE, link="/etc/passwd"),
        entry("twin.py", kind=tarfile.LNKTYPE, link="training_loop.py"),
        entry("disk", kind=tarfile.BLKTYPE),
        entry("pipe.py", kind=tarfile.FIFOTYPE),
    )
    found, _ = take(put(tmp_path, {"alice.tgz": gzip.compress(made)}), A4)
    assert list(found["alice"].files) == ["training_loop.py"]
    assert found["alice"].notes[0].count("a link or a special file") == 4


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress, bz2.compress])
def test_a_tar_that_is_a_bomb_is_refused(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    made = tar(entry("training_loop.py", 40 << 20), raw=bytes(40 << 20))
    put(tmp_path, {"alice.tgz": pack(made), "bob.py": "1"})
    found, refused = take(tmp_path, A4)
    assert list(found) == ["bob"] and "packed like a bomb" in refused["alice"].reason


def test_a_tar_that_unpacks_to_too_much_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autograder.intake.collect.STUDENT_ZIP_CAP", 1 << 20)
    made = tar(entry("training_loop.py", 2 << 20), raw=os.urandom(2 << 20))
    _, refused = take(put(tmp_path, {"alice.tgz": gzip.compress(made, 0)}), A4)
    assert "is larger than 1 MiB" in refused["alice"].reason
    noise = os.urandom(900_000) * 2
    made = tar(entry("training_loop.py", len(noise)), raw=noise)
    _, refused = take(put(tmp_path, {"alice.tgz": lzma.compress(made)}), A4)
    assert "unpack to more than 1 MiB" in refused["alice"].reason


def test_broken_tars_are_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good = tar(entry("training_loop.py", 2000), entry("b.py", 3000), raw=os.urandom(3000))
    packed_ = gzip.compress(good)
    put(
        tmp_path,
        {
            "cut.tgz": packed_[: len(packed_) // 2],
            "noise.tgz": packed_[:40] + os.urandom(900) + packed_[940:],
            "headless.tar": good[700:],
            "empty.tgz": b"",
            "hollow.tar.gz": gzip.compress(b""),
            "text.tar.gz": gzip.compress(b"x = 1\n"),
            "short.tar": good[:1500],
            "twice.tar": tar(entry("training_loop.py"), entry("training_loop.py")),
            "bob.py": "1",
        },
    )
    found, refused = take(tmp_path, A4)
    assert list(found) == ["bob"]
    assert sorted(refused) == [
        "cut", "empty", "headless", "hollow", "noise", "short", "text", "twice",
    ]  # fmt: skip
    assert "two members" in refused["twice"].reason
    assert all("\n" not in r.reason and "(" in r.reason for r in refused.values())
    monkeypatch.setattr("autograder.intake.tree.ZIP_MEMBERS", 1)
    assert "more than 1 members" in take(put(tmp_path / "x", {"a.tar": good}), A4)[1]["a"].reason


def test_a_tar_that_points_back_ends(tmp_path: Path) -> None:
    """A size below zero, which an old reader follows round and round."""
    raw = bytearray(tar(entry("training_loop.py", 10), raw=bytes(10)))
    raw[124:136] = b"\xff" * 10 + (2**16 - 1024).to_bytes(2, "big")
    total = sum(raw[:148]) + sum(raw[156:512]) + 8 * 32
    raw[148:156] = f"{total:06o}\0 ".encode()
    _, refused = take(put(tmp_path, {"alice.tar": bytes(raw)}), A4)
    assert "alice" in refused


def test_deep_headers_of_a_tar_end(tmp_path: Path) -> None:
    """Thousands of long names, each of the next, which the reader takes up by recursion."""
    long = entry("././@LongLink", 512, tarfile.GNUTYPE_LONGNAME)
    block = long.tobuf(tarfile.GNU_FORMAT) + b"a" * 511 + b"\0"
    _, refused = take(put(tmp_path, {"alice.tar": block * 3000}), A4)
    assert "not a readable tar" in refused["alice"].reason
