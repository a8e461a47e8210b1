"""IPython's shell without a terminal, a history or a hand on the machine.

Magics, `await` at top level and `display` work as in a notebook. What would reach outside
does nothing and says so: `!command`, `%pip`, `%conda`, `%%bash` and `%matplotlib`.
"""

from __future__ import annotations

import sys
import types
from typing import Any

from IPython import version_info
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.text import SList
from traitlets.config import Config

from .program import StopProgram


class _Shell(InteractiveShell):
    """Runs cells; a traceback goes to stderr as text, `StopProgram` passes through."""

    def system(self, cmd: str) -> None:
        print(f"(not run here: {cmd})")

    system_piped = system_raw = system

    def getoutput(self, cmd: str, split: bool = True, depth: int = 0) -> Any:
        self.system(cmd)
        return SList([]) if split else ""

    def showtraceback(self, exc_tuple: Any = None, *args: Any, **kwargs: Any) -> None:
        kind = (exc_tuple or sys.exc_info())[0]
        if kind is None or not issubclass(kind, StopProgram):
            super().showtraceback(exc_tuple, *args, **kwargs)

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
    shell = _Shell.instance(config=config, user_module=module, user_ns=module.__dict__)

    register: Any = shell.register_magic_function

    def ignored(line: str, cell: str = "") -> None:
        print(f"(not run here: {line or 'this cell'})")

    def quiet(line: str) -> None:
        """Figures are drawn without a screen already."""

    for name in ("pip", "conda", "mamba", "uv", "system", "sx"):
        register(ignored, "line", name)
    for name in ("bash", "sh", "script", "system", "sx", "!", "perl", "ruby"):
        register(ignored, "cell", name)
    register(quiet, "line", "matplotlib")
    return shell
