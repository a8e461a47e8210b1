"""What a worker of a cluster does for `cluster`: it holds boxes, and puts orders to them.

    about      what is installed here, and whether a box opens
    place      images, which boxes find at `data/`
    open_box   a box for a job          load, probe   orders to it          close   its end
    leave      the sandbox is not needed any more

Theory. A box lives in the process that opened it, so every order about it comes to the same worker.
Orders and answers are bytes: JSON, and beside it files or safetensors, never a pickle of ours. The
first byte of an answer says whether there is one (`DONE`); the reason why not is returned and not
raised, since what is raised would travel as a pickle. What comes out of a box has been read by
`sandbox.evidence` here, and is read once more by whoever asked.

Neither a judge nor an expected value, a score or another submission gets here: an order holds what
enters the box. A box of which nobody has said anything for `LEASE_S` is closed, since its client
may be gone; and with the process everything ends.
"""

from __future__ import annotations

import atexit
import hashlib
import importlib.util
import json
import platform
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from functools import wraps
from itertools import accumulate, pairwise
from pathlib import Path
from typing import ParamSpec

import safetensors.numpy

from ..course.images import cache_folder, write_root
from ..errors import FiveBeatsError, InputError, MachineLostError, SandboxError
from ..model import Job, Json, Limits, ProbeRequest, Program
from ..sandbox import Box, Sandbox, choose, gpu_devices
from ..sandbox.evidence import answer_frame, load_frame, pack_tensors
from .environment import code_digest, versions

DONE, FAILED, LOST = b"+", b"-", b"?"
"""How an answer begins. `LOST`: what the order is about was in another process, which is gone."""
LEASE_S = 1800.0
TRY = Job(Program("script", "try.py", ("import torch\n",)), {}, Limits())
_HEAD = struct.Struct(">II")
P = ParamSpec("P")


# -- the bytes that travel -------------------------------------------------------------------------


def pack(header: bytes, blob: bytes = b"") -> bytes:
    """Two pieces as one."""
    return _HEAD.pack(len(header), len(blob)) + header + blob


def unpack(raw: bytes) -> tuple[bytes, bytes]:
    """The two pieces. Raises `SandboxError` for anything but what `pack` wrote."""
    if len(raw) < _HEAD.size:
        raise SandboxError("an answer was cut short")
    n, m = _HEAD.unpack_from(raw)
    if len(raw) != _HEAD.size + n + m:
        raise SandboxError("an answer has another length than it says")
    return raw[_HEAD.size : _HEAD.size + n], raw[_HEAD.size + n :]


def pack_files(files: dict[str, bytes]) -> tuple[list[list[Json]], bytes]:
    """Files as a list of (name, length), and all their bytes one after the other."""
    names = sorted(files)
    return [[n, len(files[n])] for n in names], b"".join(files[n] for n in names)


def unpack_files(listed: list[list[Json]], blob: bytes) -> dict[str, bytes]:
    """The inverse of `pack_files`."""
    ends = [0, *accumulate(length for _, length in listed)]
    return {name: blob[a:b] for (name, _), (a, b) in zip(listed, pairwise(ends), strict=True)}


def pack_job(job: Job) -> bytes:
    """All that enters a box. Texts that a person reads do not."""
    listed, blob = pack_files(dict(job.files))
    header = {
        "program": [job.program.kind, job.program.main, job.program.cells],
        "files": listed,
        "limits": asdict(job.limits),
        "data": None if job.data is None else job.data.name,
        "gpu": job.gpu,
        "probes": job.probes,
    }
    return pack(json.dumps(header).encode(), blob)


def _job(raw: bytes) -> Job:
    header, blob = unpack(raw)
    told = json.loads(header)
    kind, main, cells = told["program"]
    data = None if told["data"] is None else _place_of(told["data"])
    if data is not None and not data.is_dir():
        raise MachineLostError("the images are not here any more")
    return Job(
        Program(kind, main, tuple(cells)),
        unpack_files(told["files"], blob),
        Limits(**told["limits"]),
        data,
        told["gpu"],
        told["probes"],
    )


def pack_request(request: ProbeRequest) -> bytes:
    """A question to a box, with its secret inputs."""
    header = {
        "probe": request.probe,
        "args": dict(request.args),
        "start": request.start,
        "check_s": request.check_s,
    }
    return pack(json.dumps(header).encode(), pack_tensors(dict(request.tensors)))


def _request(raw: bytes) -> ProbeRequest:
    header, blob = unpack(raw)
    return ProbeRequest(**json.loads(header), tensors=safetensors.numpy.load(blob) if blob else {})


def _answering(order: Callable[P, bytes]) -> Callable[P, bytes]:
    """The same order, which answers and never raises."""

    @wraps(order)
    def answer(*args: P.args, **kwargs: P.kwargs) -> bytes:
        try:
            return DONE + order(*args, **kwargs)
        except FiveBeatsError as e:
            lost = isinstance(e, MachineLostError)
            return (LOST if lost else FAILED) + str(e).encode("utf-8", "replace")
        except Exception as e:  # noqa: BLE001 - it would travel as a pickle
            return FAILED + f"{type(e).__name__}: {e}".encode("utf-8", "replace")

    return answer


# -- what is here ----------------------------------------------------------------------------------


def installed() -> dict[str, str]:
    """All that has to be the same on both sides: versions, the code, the kind of machine."""
    ours = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:16]
    return {
        **versions(),
        "code": code_digest(),
        "worker": ours,
        "machine": platform.machine(),
    }


@_answering
def about(sandbox: str, gpu: bool, modules: tuple[str, ...]) -> bytes:
    """What is installed here, which of `modules` are not, and the name of the sandbox, in which a
    box has been opened. Refuses where none opens.
    """
    if gpu and not gpu_devices():
        raise InputError("it has no NVIDIA GPU")
    chosen = _sandbox(sandbox, gpu)
    with _LIFE, chosen.open(TRY) as box:
        load = box.load()
    if load.status != "done" or load.errors:
        why = load.errors[0] if load.errors else load.detail or load.status
        raise SandboxError(f"no program runs in its {chosen.name}: {why}")
    lacks = [m for m in modules if importlib.util.find_spec(m.partition(".")[0]) is None]
    return json.dumps({**installed(), "sandbox": chosen.name, "lacks": lacks}).encode()


# -- boxes -----------------------------------------------------------------------------------------


class _Held:
    """A box that waits for orders, for a while."""

    def __init__(self, box: Box, end: Callable[[], None]) -> None:
        self.box, self._end = box, end
        self._wait()

    def _wait(self) -> None:
        self._timer = threading.Timer(LEASE_S, self._end)
        self._timer.daemon = True
        self._timer.start()

    @contextmanager
    def at_work(self) -> Iterator[Box]:
        """The box, for one order."""
        self._timer.cancel()
        try:
            yield self.box
        finally:
            self._wait()

    def close(self) -> None:
        self._timer.cancel()
        self.box.__exit__(None, None, None)


_SANDBOXES: dict[tuple[str, bool], Sandbox] = {}
_BOXES: dict[str, _Held] = {}
_LIFE = threading.RLock()
"""Held while a box is opened, and while sandboxes are made or closed."""


def _shelf() -> Path:
    return cache_folder() / "data"


def _place_of(name: str) -> Path:
    if not name or Path(name).name != name or name == "..":
        raise InputError(f"{name!r} is no name of a data root")
    return _shelf() / name


def _sandbox(name: str, gpu: bool) -> Sandbox:
    """This process's sandbox of a kind, which it keeps; one process's boxes share a template."""
    with _LIFE:
        if (name, gpu) not in _SANDBOXES:
            if name == "none":
                raise SandboxError("without a sandbox nothing is run on a cluster")
            _shelf().mkdir(parents=True, exist_ok=True)
            made = choose(name, _shelf(), gpu=gpu)
            made = _SANDBOXES.setdefault((made.name, gpu), made)
            _SANDBOXES[name, gpu] = made
        return _SANDBOXES[name, gpu]


@_answering
def place(name: str, raw: bytes) -> bytes:
    """Put images where boxes find them, unless they lie there."""
    listed, blob = unpack(raw)
    write_root(_place_of(name), unpack_files(json.loads(listed), blob))
    return b""


@_answering
def open_box(name: str, sandbox: str, job: bytes) -> bytes:
    """Open a box, under a name by which later orders know it."""
    told = _job(job)
    chosen = _sandbox(sandbox, told.gpu)
    with _LIFE:
        _BOXES[name] = _Held(chosen.open(told), lambda: _end(name))
    return b""


def _held(name: str) -> _Held:
    if name not in _BOXES:
        raise MachineLostError("the box is not here any more")
    return _BOXES[name]


@_answering
def load(name: str) -> bytes:
    """Run the program of a box."""
    with _held(name).at_work() as box:
        return pack(load_frame(box.load()))


@_answering
def probe(name: str, request: bytes) -> bytes:
    """Put one question to a box."""
    with _held(name).at_work() as box:
        return pack(*answer_frame(box.probe(_request(request))))


@_answering
def close(name: str) -> bytes:
    """End a box."""
    held = _BOXES.pop(name, None)
    if held is not None:
        held.close()
    return b""


@_answering
def leave() -> bytes:
    """End the sandboxes, with their templates, unless somebody's box is open in them."""
    with _LIFE:
        if not _BOXES:
            for made in {id(s): s for s in _SANDBOXES.values()}.values():
                made.close()
            _SANDBOXES.clear()
    return b""


def _end(name: str) -> None:
    """The end of a box whose client is gone."""
    close(name)
    leave()


@atexit.register
def _end_all() -> None:
    for name in list(_BOXES):
        close(name)
    leave()
