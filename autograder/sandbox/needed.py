"""What of the host a Python program needs to run: the only part of it that a box shows.

    system folders   programs, libraries, headers (for `torch.compile`); of /usr/share only what
                     libraries read; of /etc what the dynamic linker and the fonts take
    this Python      its executables, its library and package folders, an environment's pyvenv.cfg
    libraries        below /usr/local and /opt what the dynamic linker knows

Everything else stays outside: /usr/local, /opt and /srv are where course tools keep work (the
exchange of nbgrader is below /usr/local/share, and an environment's own `share` and `etc` are
Jupyter's), and so are /var, /home and /mnt. Every name is written down here, and nothing is shown
because it lies beside something that is needed.
"""

from __future__ import annotations

import os
import re
import shutil
import site
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path

_USR = ("bin", "sbin", "lib", "lib32", "lib64", "libx32", "libexec", "include")
_SHARE = (
    *("fonts", "fontconfig", "zoneinfo", "terminfo", "misc", "mime", "tcltk"),
    *("texlive", "texmf", "ghostscript", "graphviz"),  # what draws figures
)
_ETC = ("alternatives", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "localtime", "fonts")
SYSTEM = (
    *(f"/usr/{name}" for name in _USR),
    *(f"/usr/share/{name}" for name in _SHARE),
    *(f"/{name}" for name in _USR),
    *(f"/etc/{name}" for name in _ETC),
    # without these files glibc does not know that it may ask for huge pages
    "/sys/kernel/mm/transparent_hugepage",
)
"""Files and folders of the system; some are missing on some, and some are links."""
_SHARED = ("/", "/usr", "/usr/local")
"""Prefixes that hold other things than a Python."""
_EXECUTABLE = re.compile(r"python[0-9.]*t?")
_LIBRARY = re.compile(r"=> (/(?:usr/local|opt)/\S+)")


def _of_prefix(prefix: Path) -> Iterator[Path]:
    """What a Python or an environment keeps in a folder of its own."""
    if str(prefix) in _SHARED:
        return
    yield from (prefix / name for name in ("lib", "lib32", "lib64", "include", "pyvenv.cfg"))
    yield prefix / "share" / "zoneinfo"


def _executables(folder: Path) -> Iterator[Path]:
    """The interpreters in a folder, links from one to another included."""
    if folder.is_dir():
        yield from sorted(p for p in folder.iterdir() if _EXECUTABLE.fullmatch(p.name))


def _libraries() -> Iterator[Path]:
    """What the dynamic linker finds below /usr/local and /opt: each file of a folder that is for
    libraries of all kinds, and else the folder, which belongs to one piece of software.
    """
    command = shutil.which("ldconfig") or "/sbin/ldconfig"
    try:
        listed = subprocess.run([command, "-p"], capture_output=True, text=True, check=False).stdout
    except OSError:
        return
    for found in map(Path, sorted(set(_LIBRARY.findall(listed)))):
        yield found if found.is_relative_to("/usr/local/lib") else found.parent


@lru_cache(maxsize=1)
def python_paths() -> tuple[Path, ...]:
    """Files, folders and links outside `SYSTEM` that this Python needs, none within another."""
    prefixes = {
        Path(p) for p in (sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix)
    }
    prefixes |= {p.resolve() for p in prefixes}
    names = ("stdlib", "platstdlib", "purelib", "platlib", "include", "platinclude")
    wanted = {Path(sysconfig.get_path(name)) for name in names}
    wanted |= set(map(Path, site.getsitepackages()))
    wanted |= {part for prefix in prefixes for part in _of_prefix(prefix)}
    wanted |= {p for prefix in prefixes for p in _executables(prefix / "bin")}
    wanted |= set(_libraries())
    wanted |= {p.resolve() for p in wanted} | _links(Path(sys.executable))
    return _outermost(p for p in wanted if os.path.lexists(p))


def _links(path: Path) -> set[Path]:
    """A path and every one that it leads to, link by link."""
    found = {path}
    while path.is_symlink():
        path = Path(os.path.normpath(path.parent / os.readlink(path)))
        found.add(path)
    return found


def _outermost(paths: Iterable[Path]) -> tuple[Path, ...]:
    """The paths that lie in no other one of them, nor in a folder of the system."""
    kept: list[Path] = []
    for path in sorted(set(paths), key=lambda p: (len(p.parts), p)):
        inside = (*kept, *map(Path, SYSTEM))
        if not any(path.is_relative_to(folder) for folder in inside):
            kept.append(path)
    return tuple(kept)
