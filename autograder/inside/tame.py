"""What a machine without a person, a screen or a network cannot give, and what is done instead.

    input()             the prompt is shown, the answer is empty, "y" to a yes-or-no question;
                        a number is nothing that anybody could answer (`NobodyAnswers`)
    getpass, pdb        the same, and nothing
    plt.show            nothing; so is `matplotlib.use`
    tqdm                goes through what it is given and draws nothing, in a notebook's form too
    pip install         nothing, and that it worked
    os.chdir            goes where the program could work, with `data` there; else it stays.
                        After the run the program is back, with what it wrote elsewhere

What a program does with any of these costs it nothing. Whatever is not done is said on its output.
"""

from __future__ import annotations

import builtins
import contextlib
import getpass
import os
import pdb  # noqa: T100 - it is taken from programs
import re
import shlex
import subprocess
import sys
import types
from collections.abc import Callable
from typing import Any

from tqdm import std as tqdm_std

FILES_CAP, ANSWERS_CAP = 200, 100
_YES_OR_NO = re.compile(r"\b(y(?:es)?)\s*/\s*n(?:o)?\b", re.IGNORECASE)
_chdir = os.chdir


class NobodyAnswers(ValueError):  # noqa: N818 - students read it as a sentence
    """The program asks for a number that only a person can give; `need` says so."""

    def __init__(self, prompt: str) -> None:
        self.need = f"an answer to input({prompt[:80]!r})"
        super().__init__(f"needs {self.need}; nobody sits at the keyboard here")


class NobodyThere(EOFError):  # noqa: N818 - students read it as a sentence
    """The program goes on asking, as in a menu without an end; `need` says so."""

    need = "somebody at the keyboard"


class _Answer(str):
    """The answer that nobody gave: an empty line that is no number."""

    __slots__ = ("prompt",)
    prompt: str

    def __int__(self) -> int:
        raise NobodyAnswers(self.prompt)

    def __float__(self) -> float:
        raise NobodyAnswers(self.prompt)

    def strip(self, chars: str | None = None, /) -> str:
        return self

    lstrip = rstrip = strip


_asked = 0


def _input(prompt: object = "", /) -> str:
    global _asked
    _asked += 1
    if _asked > ANSWERS_CAP:
        raise NobodyThere(f"needs {NobodyThere.need}, and goes on asking")
    print(prompt)
    asked = _YES_OR_NO.search(str(prompt))
    if asked:
        return asked[1].lower()
    answer = _Answer()
    answer.prompt = str(prompt)
    return answer


def _people() -> None:
    """Let nobody be waited for."""

    def nothing(*args: Any, **kwargs: Any) -> None:
        """Nobody debugs here."""

    def secret(prompt: str = "", stream: Any = None, **kwargs: Any) -> str:
        print(prompt)
        return ""

    sys.breakpointhook = pdb.set_trace = nothing
    getpass.getpass = secret


# -- screens -----------------------------------------------------------------------------------


class _Bar(tqdm_std.tqdm):  # type: ignore[misc]
    """A notebook's progress bar, without the notebook."""

    def __init__(self, *args: Any, display: bool = True, **kwargs: Any) -> None:
        self.displayed, self.container = display, None
        super().__init__(*args, **kwargs)

    def disp(self, *args: Any, **kwargs: Any) -> None:
        """Nothing is drawn."""


def _bars() -> None:
    """Let tqdm go through what it is given without drawing, wherever it is imported from."""

    def printer(file: Any) -> Callable[[str], None]:
        return lambda text: None

    tqdm_std.tqdm.status_printer = staticmethod(printer)
    package: Any = sys.modules["tqdm"]

    def trange(*args: Any, **kwargs: Any) -> Any:
        return _Bar(range(*args), **kwargs)

    for name, short in (("notebook", "tn"), ("gui", "tg"), ("tk", "ttk"), ("rich", "tr")):
        module: Any = types.ModuleType(f"tqdm.{name}")
        module.tqdm = _Bar
        module.trange = trange
        setattr(module, f"tqdm_{name}", _Bar)
        setattr(module, f"{short}range", trange)
        sys.modules[module.__name__] = module
        setattr(package, name, module)
    package.notebook.IProgress, package.notebook.WARN_NOIPYW = None, ""
    package.tqdm_gui, package.tgrange = _Bar, trange


def _screens() -> None:
    """Let matplotlib show nothing and keep its backend."""

    def nothing(*args: Any, **kwargs: Any) -> None:
        """There is no screen."""

    matplotlib: Any = sys.modules.get("matplotlib")
    pyplot: Any = sys.modules.get("matplotlib.pyplot")
    display: Any = sys.modules.get("IPython.display")
    if matplotlib is not None:
        matplotlib.use = nothing
    if display is not None and not hasattr(display, "set_matplotlib_formats"):
        display.set_matplotlib_formats = nothing  # there until IPython 8
    if pyplot is not None:
        switch = pyplot.switch_backend

        def first(backend: str) -> None:
            if pyplot._backend_mod is None:  # noqa: SLF001 - pyplot looks there itself
                switch("agg")

        pyplot.switch_backend = first
        pyplot.show = pyplot.Figure.show = nothing


# -- other programs ----------------------------------------------------------------------------


def _installs(command: Any) -> bool:
    """Whether a command installs packages: `pip install`, `python -m pip install`, conda."""
    if isinstance(command, (bytes, os.PathLike)):
        command = os.fsdecode(command)
    if isinstance(command, str):
        try:
            command = shlex.split(command)
        except ValueError:
            return False
    if not isinstance(command, (list, tuple)):
        return False
    words = [os.path.basename(os.fsdecode(w)) for w in command if isinstance(w, (str, bytes))]
    tools = [re.fullmatch(r"(pip|conda|mamba|uv|apt|apt-get|pipx)[\d.]*", w) for w in words[:4]]
    return "install" in words and any(tools)


def _packages() -> None:
    """Let commands that would install something do nothing, well."""
    start, system = subprocess.Popen.__init__, os.system

    def popen(self: Any, args: Any, *more: Any, **kwargs: Any) -> None:
        if _installs(args):
            print(f"(not run here: {args if isinstance(args, str) else ' '.join(map(str, args))})")
            args = [sys.executable, "-S", "-c", ""]
            kwargs.pop("executable", None)
            kwargs.pop("shell", None)
        start(self, args, *more, **kwargs)

    def run(command: Any) -> int:
        if _installs(command):
            print(f"(not run here: {command})")
            return 0
        return system(command)

    subprocess.Popen.__init__ = popen  # type: ignore[method-assign]
    # pickled by its name, as the function that it stands for is
    run.__module__, run.__name__, run.__qualname__ = "os", "system", "system"
    os.system = run


# -- folders -----------------------------------------------------------------------------------


class Folders:
    """Where the program goes, from the folder that it starts in."""

    def __init__(self) -> None:
        self.home = os.getcwd()
        self._found: dict[str, dict[str, int]] = {}
        """The files of each folder as the program found them, by the time of their last change."""

    def change(self, path: Any) -> None:
        """`os.chdir`, to where the program could work."""
        if isinstance(path, int):
            _chdir(path)
            return
        before = os.getcwd()
        try:
            _chdir(path)
        except OSError as e:
            print(f"(stays in its folder: {os.fsdecode(path)}: {e.strerror})")
            return
        here = os.getcwd()
        if not (os.path.join(here, "").startswith(os.path.join(self.home, "")) or _writable(here)):
            _chdir(before)
            print(f"(stays in its folder: {here} is no place to work here)")
            return
        self._found.setdefault(here, _files(here))
        data = os.path.join(self.home, "data")
        if os.path.isdir(data) and not os.path.lexists("data"):
            with contextlib.suppress(OSError):
                os.symlink(data, "data")

    def back(self) -> None:
        """Go home, and let what the program wrote elsewhere be found there by its name."""
        with contextlib.suppress(OSError):  # the program may have removed it
            _chdir(self.home)
        for folder, before in self._found.items():
            for name, changed in _files(folder).items():
                link = os.path.join(self.home, name)
                if before.get(name) != changed and not os.path.lexists(link):
                    with contextlib.suppress(OSError):
                        os.symlink(os.path.join(folder, name), link)


def _files(folder: str) -> dict[str, int]:
    """The first files of a folder by name, with the time of their last change in nanoseconds."""
    found: dict[str, int] = {}
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if len(found) < FILES_CAP and entry.is_file():
                found[entry.name] = entry.stat().st_mtime_ns
    return found


def _writable(folder: str) -> bool:
    return os.access(folder, os.W_OK | os.X_OK)


_tamed = False


def tame() -> Folders:
    """Put all of the above in place, once in a process, for a program that starts here."""
    global _tamed, _asked
    folders = Folders()
    _asked = 0
    builtins.input = _input
    os.chdir = folders.change
    if not _tamed:
        _tamed = True
        _people()
        _screens()
        _bars()
        _packages()
    return folders
