"""Which backend `auto` takes: the strongest that works on this machine, tried, not guessed.

    bubblewrap    a trial room opens (as nobody where we are root)
    podman        a container of the box's image runs
    docker        the same
    uid           we are root, and the hidden half is closed to other users

No sandbox at all is never an answer.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import lru_cache

from .container import IMAGE, ULIMITS, engine_options

TRIAL_S = 20


def _succeeds(command: list[str]) -> bool:
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=TRIAL_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


@lru_cache(maxsize=1)
def bubblewrap_works() -> bool:
    """Whether an empty room can be made, with the namespaces every box needs."""
    if shutil.which("bwrap") is None:
        return False
    room = ["bwrap", "--unshare-all", "--ro-bind", "/usr", "/usr", "--proc", "/proc"]
    for link in ("bin", "lib", "lib64"):
        if os.path.lexists(f"/{link}"):
            room += ["--ro-bind", os.path.realpath(f"/{link}"), f"/{link}"]
    room += ["--", "/usr/bin/unshare", "--user", "/bin/true"]  # a child seals itself once more
    if os.getuid() == 0:
        if shutil.which("setpriv") is None:
            return False
        room = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--", *room]
    return _succeeds(room)


@lru_cache(maxsize=2)
def engine_works(engine: str) -> bool:
    """Whether `engine` is installed, has the box's image, and runs a container of it."""
    if shutil.which(engine) is None:
        return False
    run = [engine, *engine_options(), "run", "--rm", "--network", "none", "--pull", "never"]
    return _succeeds([*run, *ULIMITS, IMAGE, "-c", "pass"])


def strongest() -> str | None:
    """The name of the backend to take, None where none works."""
    if bubblewrap_works():
        return "bubblewrap"
    for engine in ("podman", "docker"):
        if engine_works(engine):
            return engine
    return "uid" if os.getuid() == 0 else None
