"""IPython's shell without a terminal, a history or a hand on the machine.

Magics, `await` at top level and `display` work as in a notebook. What would reach outside
does nothing and says so: `!command`, `%pip`, `%conda`, `%%bash` and `%matplotlib`. So do magics of
extensions that are not installed (`%tensorboard`) and settings of frontends that are not there
(`%config InlineBackend…`); the code below an unknown `%%magic` runs, if it is Python.
"""

from __future__ import annotations

import ast
import os
import sys
import types
from typing import Any

from IPython import version_info
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.text import SList
from traitlets.config import Config

from .exceptions import StopProgram


def _ignored(line: str, cell: str = "") -> None:
    print(f"(not run here: {line or 'this cell'})")


_Base: Any = InteractiveShell  # its methods have no types


class _Shell(_Base):  # type: ignore[misc]
    """Runs cells; a traceback goes to stderr as text, `StopProgram` passes through."""

    _cells = 0

    def run_cell(self, raw_cell: str, *args: Any, **kwargs: Any) -> Any:
        """As ever; what a cell raises that a magic runs (`%%capture`) is raised by the magic."""
        self._cells += 1
        try:
            result = super().run_cell(raw_cell, *args, **kwargs)
        finally:
            self._cells -= 1
        error = result.error_before_exec or result.error_in_exec
        if self._cells and error is not None:
            raise error
        return result

    def run_line_magic(self, magic_name: str, line: str, _stack_depth: int = 1) -> Any:
        if self.find_line_magic(magic_name) is None:
            return _ignored(f"%{magic_name} {line}")
        try:
            return super().run_line_magic(magic_name, line, _stack_depth=_stack_depth + 1)
        except UsageError as e:
            return _ignored(f"%{magic_name} {line}: {e}")

    def run_cell_magic(self, magic_name: str, line: str, cell: str) -> Any:
        if self.find_cell_magic(magic_name) is not None:
            return super().run_cell_magic(magic_name, line, cell)
        try:
            ast.parse(self.transform_cell(cell))
        except SyntaxError:
            return _ignored(f"%%{magic_name}")
        return self.run_cell(cell, store_history=False).result

    def system(self, cmd: str) -> None:
        """Run nothing but `mkdir`, whose folders the program then saves to."""
        words = cmd.split()
        if words[:1] == ["mkdir"] and not set(cmd) & set(";&|$`<>*?{"):
            for name in (w for w in words[1:] if not w.startswith("-")):
                os.makedirs(name, exist_ok=True)
            return
        print(f"(not run here: {cmd})")

    def magic(self, arg_s: str) -> Any:
        """`get_ipython().magic("…")`, as it was called until IPython 8."""
        name, _, line = arg_s.lstrip("%").partition(" ")
        return self.run_line_magic(name, line)

    system_piped = system_raw = system

    def getoutput(self, cmd: str, split: bool = True, depth: int = 0) -> Any:
        self.system(cmd)
        return SList([]) if split else ""

    def showtraceback(self, exc_tuple: Any = None, *args: Any, **kwargs: Any) -> None:
        kind = (exc_tuple or sys.exc_info())[0]
        if kind is None or not issubclass(kind, StopProgram):
            super().showtraceback(exc_tuple, *args, **kwargs)

    def ask_exit(self) -> None:
        """`exit()` in a cell; the next cell runs."""

    def enable_gui(self, gui: Any = None) -> None:
        """There is no window system to hook into."""


def make_shell(module: types.ModuleType) -> Any:
    """The shell whose user namespace is `module`'s."""
    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "nocolor" if version_info >= (9,) else "NoColor"
    config.InteractiveShell.xmode = "Minimal"
    config.InteractiveShell.cache_size = 0
    InteractiveShell.clear_instance()
    shell: Any = _Shell.instance(config=config, user_module=module, user_ns=module.__dict__)

    register: Any = shell.register_magic_function

    def extension(line: str) -> None:
        """An extension that is not installed is done without."""
        try:
            shell.extension_manager.load_extension(line.strip())
        except Exception:
            _ignored(f"%load_ext {line}")

    timing = shell.find_magic("timeit")

    def once(line: str, cell: str | None = None) -> Any:
        """Timed by one run."""
        return timing(f"-n1 -r1 {line}", cell)

    def quiet(line: str) -> None:
        """Figures are drawn without a screen already."""

    for name in ("pip", "conda", "mamba", "uv", "system", "sx"):
        register(_ignored, "line", name)
    for name in ("bash", "sh", "script", "system", "sx", "!", "perl", "ruby"):
        register(_ignored, "cell", name)
    register(quiet, "line", "matplotlib")
    for name in ("load_ext", "reload_ext"):
        register(extension, "line", name)
    register(once, "line_cell", "timeit")
    return shell
