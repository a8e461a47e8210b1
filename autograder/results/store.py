"""Which submissions have been graded: an SQLite file that survives any way of dying.

    claim(key)            -> a verdict that is there already, or None: it is yours to grade
    finish(key, verdict)  commit it
    give_back(key)        it was not graded after all

Theory. The key is frozen: the submission's digest, the assignment with its version, and
the environment. A claim without a verdict means that the run which made it has died, since
only one run at a time may hold the file (a lock the kernel drops when a process ends, even
by SIGKILL); it is simply claimed again. A verdict is committed after its files are written,
so whatever is `done` here is whole on disk. An `ungradable` is the grader's own fault and
is tried again by the next run.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import sqlite3
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal

from ..errors import GraderError, InputError
from ..model import Json

State = Literal["claimed", "done", "ungradable"]
SCHEMA = 1

_CREATE = """
CREATE TABLE IF NOT EXISTS verdict (
    submission  TEXT NOT NULL,
    assignment  TEXT NOT NULL,
    version     INTEGER NOT NULL,
    environment TEXT NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('claimed', 'done', 'ungradable')),
    attempts    INTEGER NOT NULL DEFAULT 1,
    result      TEXT,
    evidence    TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (submission, assignment, version, environment)
) STRICT
"""
_FIND = """
SELECT state, result, evidence FROM verdict
WHERE submission = ? AND assignment = ? AND version = ? AND environment = ?
"""
_FINISH = """
UPDATE verdict SET state = ?, result = ?, evidence = ?
WHERE submission = ? AND assignment = ? AND version = ? AND environment = ?
"""
_GIVE_BACK = """
DELETE FROM verdict
WHERE submission = ? AND assignment = ? AND version = ? AND environment = ?
AND state = 'claimed'
"""
_CLAIM = """
INSERT INTO verdict (submission, assignment, version, environment, state)
VALUES (?, ?, ?, ?, 'claimed')
ON CONFLICT DO UPDATE SET state = 'claimed', attempts = attempts + 1, result = NULL
"""


class BusyError(InputError):
    """Another run is writing into the folder."""


@dataclass(frozen=True)
class Key:
    """What a grade belongs to: `submission` is its digest, `environment` from `fingerprint`."""

    submission: str
    assignment: str
    version: int
    environment: str

    @property
    def row(self) -> tuple[str, str, int, str]:
        return (self.submission, self.assignment, self.version, self.environment)

    @property
    def name(self) -> str:
        """The key in one word, as evidence is marked with it."""
        return "/".join(map(str, self.row))


@dataclass(frozen=True)
class Verdict:
    """A committed grade: result.json as plain values, and where below OUT its evidence lies."""

    result: Mapping[str, Json]
    evidence: str


def fingerprint(environment: Mapping[str, Json]) -> str:
    """A short, stable name for everything outside a submission that its grade depends on."""
    text = json.dumps(dict(environment), sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Attempt:
    """One work of a student's that was graded: by the checks alone, before lateness and persons."""

    submission: str
    submitted_at: str
    score: float
    max_score: float


Attempts = Mapping[tuple[str, str], Sequence[Attempt]]
"""By student and assignment, the oldest first."""


def attempts(path: Path) -> dict[tuple[str, str], list[Attempt]]:
    """Every work that the store at `path` holds a grade of, each by its newest verdict; {} where
    there is no store that can be read. Of students who handed in the same bytes, it stands with the
    one who was graded.
    """
    found: dict[tuple[str, str], dict[str, Attempt]] = {}
    if not path.is_file():
        return {}
    try:
        with contextlib.closing(
            sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
        ) as db:
            rows = db.execute(
                "SELECT result FROM verdict WHERE state = 'done' ORDER BY rowid"
            ).fetchall()
        for (text,) in rows:
            r = json.loads(text)
            one = Attempt(r["submission"], r["submitted_at"], r["score"], r["max_score"])
            found.setdefault((r["student"], r["assignment"]), {})[one.submission] = one
    except (sqlite3.Error, ValueError, KeyError, TypeError):
        return {}
    return {
        key: sorted(works.values(), key=lambda a: a.submitted_at) for key, works in found.items()
    }


class Store:
    """OUT/store.sqlite, open for one run. A context manager; its methods are safe in threads."""

    def __init__(self, path: Path) -> None:
        """Open or create the file; `InputError` if another run holds it, if it cannot be written,
        if it is damaged, or if it is not ours.
        """
        self.path = path
        self._mutex = threading.Lock()
        try:
            self._lock = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as e:
            raise InputError(
                f"cannot be written to: {e.strerror}",
                where=path.parent,
                remedy="let it be written to, or choose another -o",
            ) from e
        try:
            self._take_lock()
            self._db = self._opened()
        except BaseException:
            os.close(self._lock)
            raise

    def _take_lock(self) -> None:
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as e:
            raise BusyError(
                "another grading is writing here",
                where=self.path.parent,
                remedy="wait for it to end, or choose another -o",
            ) from e
        except OSError as e:
            raise InputError(
                f"cannot be locked: {e.strerror}",
                where=self.path.parent,
                remedy="choose a folder on a local disk for -o",
            ) from e

    def _opened(self) -> sqlite3.Connection:
        """The database, looked through and ready. Raises `InputError`."""
        db = None
        try:
            db = sqlite3.connect(self.path, check_same_thread=False, isolation_level=None)
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = NORMAL")
            found = db.execute("PRAGMA user_version").fetchone()[0]
            if found not in (0, SCHEMA):
                raise InputError(
                    f"was written by another version (schema {found}, this one knows {SCHEMA})",
                    where=self.path,
                    remedy="choose a fresh folder for -o",
                )
            wrong = db.execute("PRAGMA quick_check(1)").fetchone()[0]
            if wrong != "ok":
                raise sqlite3.DatabaseError(str(wrong).splitlines()[0])
            db.execute(_CREATE)
            db.execute(f"PRAGMA user_version = {SCHEMA}")
        except BaseException as e:
            if db is not None:
                db.close()
            if isinstance(e, sqlite3.DatabaseError):
                raise self._unusable(e) from e
            raise
        return db

    def _unusable(self, e: sqlite3.DatabaseError) -> InputError:
        """What is wrong with the file, in one line."""
        if self.path.is_dir():
            what, remedy = "is a folder, and no store of grades", "move it away"
        elif isinstance(e, sqlite3.OperationalError):  # a disk that is closed, full or broken
            return InputError(
                f"cannot be used: {e}",
                where=self.path,
                remedy="let it be written to, or move it away",
            )
        else:
            what, remedy = f"is not a store of grades, or is damaged: {e}", "move it away"
        again = "grades and evidence stay, and the next grade runs the class again"
        return InputError(what, where=self.path, remedy=f"{remedy}; {again}")

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file and let the next run in."""
        with self._mutex:
            self._db.close()
            os.close(self._lock)

    def _do(self, statement: str, values: tuple[object, ...]) -> sqlite3.Cursor:
        try:
            return self._db.execute(statement, values)
        except sqlite3.OperationalError as e:
            raise GraderError(
                f"cannot be written: {e}",
                where=self.path,
                remedy="make room there; the same command then goes on where it stopped",
            ) from e
        except sqlite3.DatabaseError as e:
            raise self._unusable(e) from e

    def claim(self, key: Key) -> Verdict | None:
        """The verdict if it is there; else None, and `key` is claimed for this run."""
        with self._mutex:
            row = self._do(_FIND, key.row).fetchone()
            if row is not None and row[0] == "done" and row[1] is not None:
                with contextlib.suppress(ValueError):  # torn: as if it had not been graded
                    return Verdict(json.loads(row[1]), row[2])
            self._do(_CLAIM, key.row)
            return None

    def claim_again(self, key: Key) -> None:
        """Take a verdict back whose evidence is gone: `key` is claimed for this run."""
        with self._mutex:
            self._do(_CLAIM, key.row)

    def finish(self, key: Key, result: Mapping[str, Json], evidence: str = "") -> None:
        """Commit a grade; one whose status is `ungradable` will be tried again by the next run."""
        state: State = "done" if result["status"] == "graded" else "ungradable"
        text = json.dumps(dict(result))
        with self._mutex:
            done = self._do(_FINISH, (state, text, evidence, *key.row))
            if done.rowcount != 1:
                raise GraderError(
                    "a verdict for a submission nobody claimed",
                    where=self.path,
                    remedy="report this",
                )

    def give_back(self, key: Key) -> None:
        """Drop a claim whose grading was broken off."""
        with self._mutex:
            self._do(_GIVE_BACK, key.row)

    def states(self) -> dict[str, int]:
        """How many rows are in which state."""
        with self._mutex:
            rows = self._db.execute("SELECT state, count(*) FROM verdict GROUP BY state").fetchall()
        return dict(rows)
