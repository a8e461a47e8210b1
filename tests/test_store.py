"""The store: what is done stays done, what was claimed by a dead run is claimed again."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from autograder.errors import GraderError, InputError
from autograder.store import Key, Store, fingerprint

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
        "from autograder.store import Key, Store\n"
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
