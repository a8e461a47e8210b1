"""Boxes on the workers of a Dask cluster: a `Sandbox` like any other.

    Grader -> Cluster.open(job) -> box -> load, probe -> evidence    as with a box of this machine
                      |                      |
                      +-- orders, as tasks of dask.distributed --> `worker`, in its process

Theory. What runs a class is the same whoever holds the boxes: `batch` gives submissions to a
grader, the grader asks a box what its judge wants to know. So only what enters a box goes to a
worker (the program, its files, images, questions with their secret inputs), and what comes back is
evidence, as untrusted as that of a box here, read by the same rules. Judges, expected values,
labels, scores and the store stay where the command runs.

A box stays on the worker that opened it, so orders about it are pinned to that worker. A worker
that is lost takes its boxes along: `MachineLostError`, and the grader begins that submission anew
elsewhere. Nothing of it was stored, so nothing is lost or counted twice. Who gets boxes was
examined first: the same versions, the same code, the same kind of sandbox, and a box that opened.
Workers that come later are examined when they come.
"""

from __future__ import annotations

import contextlib
import json
import logging
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

from ..course.images import root_files
from ..errors import FiveBeatsError, InputError, MachineLostError, SandboxError
from ..model import Evidence, Job, Json, LoadReport, ProbeRequest
from ..sandbox.evidence import AGAIN_CAP, read_answer, read_load
from ..text import clean
from . import worker as far

CONNECT_S = 20.0
EXAMINE_S = 300.0
"""How long a worker may take to tell about itself: it imports torch, perhaps from a network."""
POLL_S = 1.0
SILENCE_S = 20.0
"""How long a scheduler may fail to answer before it counts as gone."""
PATIENCE_S = 600.0
"""How long a submission waits where no worker is left at all."""
TRANSFER_S = 120.0
AHEAD = 1
"""Boxes of a worker beyond its threads: one is judged here while the others work there."""
PLAIN = ["dask", "msgpack"]
"""How answers may be written: Dask's own forms of plain data, and no pickle."""


class Cluster:
    """Makes boxes on the workers of the scheduler at `address` (or in that scheduler file).

    `sandbox` is the kind of boxes, `modules` what students were promised to find; `stop` tells that
    no box is wanted any more. Thread-safe; close it when the class is done. Raises `InputError`
    where no scheduler answers, there is no worker, or one of the workers is not fit.
    """

    def __init__(
        self,
        address: str,
        sandbox: str = "auto",
        *,
        gpu: bool = False,
        modules: Sequence[str] = (),
        stop: threading.Event | None = None,
    ) -> None:
        self.address, self.gpu, self.modules = address, gpu, tuple(modules)
        self.name = sandbox
        self.stop = stop or threading.Event()
        self.refused: dict[str, str] = {}
        """Workers that came later and were not fit, with the reason."""
        self._fit: set[str] = set()
        self._threads: dict[str, int] = {}
        self._open: Counter[str] = Counter()
        self._placed: set[tuple[str, str]] = set()
        self._placing: dict[tuple[str, str], threading.Lock] = {}
        self._asked: set[str] = set()
        self._ending: set[Any] = set()
        self._gone = False
        self._changed = threading.Condition()
        self._own = threading.local()
        """How many boxes a thread holds."""
        self._closed = threading.Event()
        self._client = _connect(address)
        try:
            self._examine_all()
        except BaseException:
            self._client.close()
            raise
        self._watch = threading.Thread(target=self._watching, name="cluster", daemon=True)
        self._watch.start()

    # -- who is there ------------------------------------------------------------------------------

    @property
    def workers(self) -> dict[str, int]:
        """The workers that get boxes, with their threads."""
        with self._changed:
            return {w: n for w, n in sorted(self._threads.items()) if w in self._fit}

    def _examine_all(self) -> None:
        """Examine who is there, all at once. Raises `InputError` for the first that is not fit."""
        self._threads = dict(self._client.nthreads())
        if not self._threads:
            raise InputError(
                f"the cluster at {self.address} has no worker",
                remedy=f"start some: dask worker {self.address}",
            )
        found: dict[str, str | dict[str, Json]] = {}

        def one(worker: str) -> None:
            found[worker] = self._examine(worker)

        threads = [threading.Thread(target=one, args=(w,)) for w in self._threads]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        kinds: dict[str, str] = {}
        for worker, told in sorted(found.items()):
            if isinstance(told, str):
                raise InputError(
                    f"worker {worker}: {told}",
                    remedy="set it up as this machine is, or take it out of the cluster",
                )
            kinds.setdefault(str(told["sandbox"]), worker)
        if len(kinds) > 1:
            listed = ", ".join(f"{kind} on {worker}" for kind, worker in sorted(kinds.items()))
            raise InputError(f"workers have different sandboxes: {listed}", remedy="say --sandbox")
        (self.name,) = kinds
        self._fit = set(self._threads)
        self._asked = set(self._threads)

    def _examine(self, worker: str) -> str | dict[str, Json]:
        """What a worker tells of itself, or why it is not fit."""
        try:
            # a worker that cannot read a task at all never answers it, so this is asked first
            self.order(worker, resolve_name, f"{far.__name__}:DONE", within=EXAMINE_S)
            raw = self.order(worker, far.about, self.name, self.gpu, self.modules, within=EXAMINE_S)
            told: dict[str, Json] = json.loads(raw)
            differ = [
                f"{name} {clean(str(told.get(name)))[:40]}, here {ours}"
                for name, ours in far.installed().items()
                if told.get(name) != ours
            ]
            if differ:
                return "; ".join(differ)
            if told["lacks"]:
                return f"lacks the modules {', '.join(map(str, told['lacks']))}"
        except FiveBeatsError as e:
            return clean(e.what)
        except (ValueError, KeyError, TypeError) as e:
            return f"told of itself what cannot be read: {type(e).__name__}"
        return told

    def _watching(self) -> None:
        """Keep up with who comes and goes, until `close`."""
        heard = time.monotonic()
        while not self._closed.wait(POLL_S):
            try:
                threads = dict(self._client.nthreads())
            except Exception:  # noqa: BLE001 - Dask raises many kinds when a scheduler is gone
                if time.monotonic() - heard > SILENCE_S:
                    with self._changed:
                        self._gone = True
                        self._changed.notify_all()
                    return
                continue
            heard = time.monotonic()
            with self._changed:
                self._threads = threads
                self._asked &= threads.keys()
                self._fit &= threads.keys()
                self._placed = {(w, root) for w, root in self._placed if w in threads}
                new = threads.keys() - self._asked
                self._asked |= new
                self._changed.notify_all()
            for worker in new:
                threading.Thread(target=self._welcome, args=(worker,), daemon=True).start()

    def _welcome(self, worker: str) -> None:
        """Examine a worker that came later."""
        told = self._examine(worker)
        with self._changed:
            if not isinstance(told, str):
                self._fit.add(worker)
            elif worker in self._threads:  # else it was only gone again
                self.refused[worker] = told
            self._changed.notify_all()

    # -- boxes -------------------------------------------------------------------------------------

    def open(self, job: Job) -> _FarBox:
        """A box for `job` on the worker with most room, waiting for one. Raises `SandboxError`.

        Who holds a box already, and needs another beside it (for the reference), waits for none: it
        would wait for itself.
        """
        worker = self._take()
        try:
            if job.data is not None:
                self._place(worker, job.data)
            name = uuid.uuid4().hex
            self.order(worker, far.open_box, name, self.name, far.pack_job(job))
        except BaseException:
            self._give_back(worker)
            raise
        self._own.boxes = self._holding + 1
        return _FarBox(self, worker, name)

    def _take(self) -> str:
        """A worker with room for a box, and one place less there."""
        with self._changed:
            since = time.monotonic()
            while True:
                if self.stop.is_set():
                    raise SandboxError("the run was broken off")
                self._stands()
                here = {w: n for w, n in sorted(self._threads.items()) if w in self._fit}
                room = {w: n + AHEAD - self._open[w] for w, n in here.items()}
                best = max(room, key=lambda w: room[w], default="")
                if best and (room[best] > 0 or self._holding > 0):
                    self._open[best] += 1
                    return best
                if here:
                    since = time.monotonic()
                elif time.monotonic() - since > PATIENCE_S:
                    raise SandboxError(
                        f"the cluster at {self.address} has no worker any more",
                        remedy="start some, and give the same command again",
                    )
                self._changed.wait(POLL_S)

    @property
    def _holding(self) -> int:
        return getattr(self._own, "boxes", 0)

    def _give_back(self, worker: str) -> None:
        with self._changed:
            self._open[worker] -= 1
            self._changed.notify_all()

    def _place(self, worker: str, root: Path) -> None:
        """See that a worker has the images of a root, sent once."""
        key = (worker, root.name)
        with self._changed:
            lock = self._placing.setdefault(key, threading.Lock())
        with lock:
            if key not in self._placed:
                listed, blob = far.pack_files(root_files(root))
                raw = far.pack(json.dumps(listed).encode(), blob)
                self.order(worker, far.place, root.name, raw)
                with self._changed:
                    self._placed.add(key)

    def end(self, worker: str, name: str) -> None:
        """Close a box, without waiting for it, in the thread that opened it."""
        self._own.boxes = self._holding - 1
        with self._changed:
            there = worker in self._threads
        if there and not self._closed.is_set() and not self._gone:
            with contextlib.suppress(Exception):  # it closes by itself, if later
                closing = self._submit(worker, far.close, name)
                self._ending.add(closing)
                closing.add_done_callback(self._ending.discard)
        self._give_back(worker)

    # -- orders ------------------------------------------------------------------------------------

    def _submit(self, worker: str, order: Callable[..., bytes], *args: Json) -> Any:
        return self._client.submit(
            order,
            *args,
            key=f"five-beats-{uuid.uuid4().hex}",
            workers=[worker],
            allow_other_workers=False,
            pure=False,
        )

    def order(
        self,
        worker: str,
        order: Callable[..., bytes],
        *args: Json,
        within: float | None = None,
    ) -> bytes:
        """A worker's answer. Raises `MachineLostError` where the worker goes before it comes, and
        `SandboxError` where it says that it has none.
        """
        try:
            answer = self._answer(self._submit(worker, order, *args), worker, within)
        except FiveBeatsError:
            raise
        except Exception as e:
            if self._client.status != "running":
                raise self._lost_scheduler() from e
            if not self._there(worker):
                raise MachineLostError(f"worker {worker} was lost") from e
            lines = str(e).strip().splitlines()
            said = f"{type(e).__name__}: {clean(lines[0])[:200]}" if lines else type(e).__name__
            raise SandboxError(said) from e
        sign = answer[:1] if isinstance(answer, bytes) else b""
        if not isinstance(answer, bytes) or sign not in (far.DONE, far.FAILED, far.LOST):
            raise SandboxError("an answer is not what was asked for")
        if sign == far.DONE:
            return answer[1:]
        said = clean(answer[1:].decode("utf-8", "replace"))[:2000]
        if sign == far.FAILED:
            raise SandboxError(said)
        with self._changed:
            self._placed = {(w, root) for w, root in self._placed if w != worker}
        raise MachineLostError(f"worker {worker} began anew: {said}")

    def _answer(self, future: Any, worker: str, within: float | None) -> object:
        """The result of a task, waited for as long as its worker is there."""
        done = threading.Event()
        future.add_done_callback(lambda _: done.set())
        began = time.monotonic()
        try:
            while not done.wait(POLL_S):
                if not self._there(worker):
                    raise MachineLostError(f"worker {worker} was lost")
                if within is not None and time.monotonic() - began > within:
                    raise SandboxError(f"gave no answer within {within:g} s")
            return future.result(timeout=TRANSFER_S)
        finally:
            future.release()

    def _there(self, worker: str) -> bool:
        with self._changed:
            self._stands()
            return worker in self._threads

    def _stands(self) -> None:
        if self._gone:
            raise self._lost_scheduler()

    def _lost_scheduler(self) -> SandboxError:
        return SandboxError(
            f"the scheduler at {self.address} is gone",
            remedy="start it, and give the same command again",
        )

    def close(self) -> None:
        """End all that was begun there, and go; the cluster stays."""
        if self._closed.is_set():
            return
        self._closed.set()
        self._watch.join(timeout=10)
        with contextlib.suppress(Exception):  # whatever is left there ends by itself
            if not self._gone:
                ends = [*self._ending, *(self._submit(w, far.leave) for w in self.workers)]
                for one in ends:
                    one.result(timeout=5)
        self._client.close()

    def __enter__(self) -> Cluster:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _FarBox:
    """A box on a worker."""

    def __init__(self, cluster: Cluster, worker: str, name: str) -> None:
        self._cluster, self._worker, self._name = cluster, worker, name

    def load(self) -> LoadReport:
        header, _ = far.unpack(self._cluster.order(self._worker, far.load, self._name))
        return read_load(header, AGAIN_CAP)

    def probe(self, request: ProbeRequest) -> Evidence:
        asked = far.pack_request(request)
        raw = self._cluster.order(self._worker, far.probe, self._name, asked)
        return read_answer(*far.unpack(raw), AGAIN_CAP)

    def __enter__(self) -> _FarBox:
        return self

    def __exit__(self, *_: object) -> None:
        self._cluster.end(self._worker, self._name)


def _connect(address: str) -> Any:
    """A client of a scheduler that unpickles no answer. Raises `InputError`."""
    try:
        from distributed import Client
    except ImportError as e:
        raise InputError(
            "dask.distributed is not installed", remedy="pip install 'five-beats[cluster]'"
        ) from e
    # what it would say, in many lines, is said here in one, where it matters
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    file = Path(address).is_file()
    try:
        return Client(  # type: ignore[no-untyped-call]
            None if file else address,
            scheduler_file=address if file else None,
            timeout=CONNECT_S,
            set_as_default=False,
            serializers=PLAIN,
            deserializers=PLAIN,
        )
    except Exception as e:
        raise InputError(
            f"no scheduler answers at {address}: {type(e).__name__}: {clean(str(e))[:200]}",
            remedy="is it running, and does its address begin with tcp:// or tls://?",
        ) from e
