"""The store: what is done stays done, what was claimed by a dead run is claimed again."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from autograder.errors import GraderError, InputError
from autograder.results.store import Key, Store, fingerprint
from tests.handing import as_nobody

KEY = Key("sha256:aa", "04-training-loop", 1, "env")
GRADED = {"status": "graded", "score": 3.5}


def test_a_finished_grade_is_found_again(tmp_path: Path) -> None:
    with Store(tmp_path / "s.sqlite") as store:
        assert store.claim(KEY) is None
        store.finish(KEY, GRADED, "evidence/alice/04")
    with Store(tmp_path / "s.sqlite") as store:
        verdict = store.claim(KEY)
        assert verdict is not None
        assert verdict.result == GRADED and verdict.evidence == "evidence/alice/04"


@pytest.mark.parametrize(
    "other",
    [
        Key("sha256:bb", "04-training-loop", 1, "env"),
        Key("sha256:aa", "05-five-beats", 1, "env"),
        Key("sha256:aa", "04-training-loop", 2, "env"),
        Key("sha256:aa", "04-training-loop", 1, "other"),
    ],
)
def test_every_part_of_the_key_counts(tmp_path: Path, other: Key) -> None:
    with Store(tmp_path / "s.sqlite") as store:
        store.claim(KEY)
        store.finish(KEY, GRADED)
        assert store.claim(other) is None


def test_ungradable_is_tried_again(tmp_path: Path) -> None:
    with Store(tmp_path / "s.sqlite") as store:
        store.claim(KEY)
        store.finish(KEY, {"status": "ungradable"})
        assert store.states() == {"ungradable": 1}
        assert store.claim(KEY) is None


def test_a_claim_of_a_killed_run_is_claimed_again(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    code = (
        "import sys, os, signal\n"
        "from pathlib import Path\n"
        "from autograder.results.store import Key, Store\n"
        "s = Store(Path(sys.argv[1]))\n"
        "done = Key('sha256:done', 'a', 1, 'e'); s.claim(done)\n"
        "s.finish(done, {'status': 'graded'})\n"
        "s.claim(Key('sha256:open', 'a', 1, 'e'))\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    dead = subprocess.run([sys.executable, "-c", code, str(path)], check=False)
    assert dead.returncode == -signal.SIGKILL
    with Store(path) as store:
        assert store.states() == {"done": 1, "claimed": 1}
        assert store.claim(Key("sha256:done", "a", 1, "e")) is not None
        assert store.claim(Key("sha256:open", "a", 1, "e")) is None


def test_only_one_run_at_a_time(tmp_path: Path) -> None:
    with Store(tmp_path / "s.sqlite"), pytest.raises(InputError, match="another grading"):
        Store(tmp_path / "s.sqlite")
    before = len(os.listdir("/proc/self/fd"))
    with Store(tmp_path / "s.sqlite"):
        pass
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_claim_given_back_leaves_nothing(tmp_path: Path) -> None:
    with Store(tmp_path / "s.sqlite") as store:
        store.claim(KEY)
        store.give_back(KEY)
        assert store.states() == {}
        with pytest.raises(GraderError, match="nobody claimed"):
            store.finish(KEY, GRADED)


def test_threads_share_it(tmp_path: Path) -> None:
    keys = [Key(f"sha256:{i:04}", "a", 1, "e") for i in range(200)]
    start = threading.Barrier(8)
    with Store(tmp_path / "s.sqlite") as store:

        def work(part: int) -> None:
            start.wait()
            for key in keys[part::8]:
                assert store.claim(key) is None
                store.finish(key, {"status": "graded", "who": part})

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(work, range(8)))
        assert store.states() == {"done": 200}
        verdicts = [store.claim(k) for k in keys]
    assert all(v is not None and v.result["who"] == i % 8 for i, v in enumerate(verdicts))


def test_a_foreign_file_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "s.sqlite").write_bytes(b"this is no database" * 100)
    with pytest.raises(InputError, match="is not a store of grades"):
        Store(tmp_path / "s.sqlite")
    db = sqlite3.connect(tmp_path / "new.sqlite")
    db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(InputError, match="another version"):
        Store(tmp_path / "new.sqlite")


def test_fingerprints_tell_worlds_apart() -> None:
    assert fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1})
    assert fingerprint({"a": 1}) != fingerprint({"a": 2})


def filled(path: Path) -> Path:
    """A store of some hundred grades."""
    with Store(path) as store:
        for i in range(300):
            key = Key(f"sha256:{i:04}", "a", 1, "e")
            store.claim(key)
            store.finish(key, {"status": "graded", "notes": ["x" * 200]})
    return path


def test_a_folder_in_its_place_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "s.sqlite").mkdir()
    with pytest.raises(InputError, match=r"s.sqlite: is a folder.*\(move it away; grades and ev"):
        Store(tmp_path / "s.sqlite")
    (tmp_path / "t.sqlite.lock").mkdir()
    with pytest.raises(InputError, match=r"cannot be written to: Is a directory \(let it be"):
        Store(tmp_path / "t.sqlite")


@pytest.mark.parametrize("at", [0.1, 0.3, 0.5, 0.7, 0.9])
@pytest.mark.parametrize("length", [512, 4096, 20_000])
def test_damage_anywhere_is_one_line_before_anything_is_graded(
    tmp_path: Path, at: float, length: int
) -> None:
    path = filled(tmp_path / "s.sqlite")
    raw = bytearray(path.read_bytes())
    start = int(len(raw) * at) // 4096 * 4096
    raw[start : start + length] = os.urandom(length)
    path.write_bytes(bytes(raw[: len(filled(tmp_path / "t.sqlite").read_bytes())]))
    with pytest.raises(InputError, match=r"or is damaged: .*\(move it away; grades") as caught:
        Store(path)
    assert "\n" not in str(caught.value)
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(InputError):
        Store(path)
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_store_that_ends_too_early_is_one_line(tmp_path: Path) -> None:
    path = filled(tmp_path / "s.sqlite")
    path.write_bytes(path.read_bytes()[:30_000])
    with pytest.raises(InputError, match="or is damaged"):
        Store(path)


def test_damage_that_comes_later_is_one_line(tmp_path: Path) -> None:
    class Damaged:
        def execute(self, *_: object) -> None:
            raise sqlite3.DatabaseError("database disk image is malformed")

    with Store(tmp_path / "s.sqlite") as store:
        real, store._db = store._db, Damaged()  # type: ignore[assignment]
        with pytest.raises(
            InputError, match=r"is damaged: database disk image is malformed \(move"
        ):
            store.claim(KEY)
        store._db = real


def test_a_torn_row_is_as_if_it_had_not_been_graded(tmp_path: Path) -> None:
    with Store(tmp_path / "s.sqlite") as store:
        store.claim(KEY)
        store.finish(KEY, GRADED)
    db = sqlite3.connect(tmp_path / "s.sqlite")
    db.execute("UPDATE verdict SET result = substr(result, 1, 9)")
    db.commit()
    db.close()
    with Store(tmp_path / "s.sqlite") as store:
        assert store.claim(KEY) is None
        assert store.states() == {"claimed": 1}


def test_a_folder_that_is_closed_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def closed(path: object, *more: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", closed)
    with pytest.raises(InputError, match=r"cannot be written to: Permission denied \(let it be wr"):
        Store(tmp_path / "s.sqlite")


@pytest.mark.root
def test_a_store_that_may_only_be_read_is_one_line(tmp_path: Path) -> None:
    """As another user, since root may write anywhere."""
    folder = Path(tempfile.mkdtemp(dir="/var/tmp"))
    try:
        with Store(folder / "s.sqlite") as store:
            store.claim(KEY)
        folder.chmod(0o555)
        (folder / "s.sqlite").chmod(0o444)
        (folder / "s.sqlite.lock").chmod(0o666)
        said = as_nobody(lambda: Store(folder / "s.sqlite"))
        assert f"{folder}/s.sqlite: cannot be used: " in said and "\n" not in said
        (folder / "s.sqlite.lock").chmod(0o444)
        assert "cannot be written to: Permission denied" in as_nobody(
            lambda: Store(folder / "s.sqlite")
        )
    finally:
        shutil.rmtree(folder)
