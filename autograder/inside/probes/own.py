"""The assignment's own probes: functions of its probes.py, whose text came with the job.

A request names one as `own:function`. The text is run as a module of this package when the first of
them is asked for, in that probe's own process.
"""

from __future__ import annotations

import linecache
from typing import Any

NAME = "probes.py"


class Text:
    """The text of an assignment's probes.py, and what it defines once it was run."""

    def __init__(self) -> None:
        self.text = ""
        self.namespace: dict[str, Any] = {}

    def keep(self, text: str) -> None:
        """Take the text of the job in hand; "" where its assignment has none."""
        self.text = text
        self.namespace = {}

    def find(self, name: str) -> Any:
        """What the text defines as `name`. Raises `LookupError` where it defines no such thing."""
        if not self.namespace:
            self.namespace |= {"__name__": f"{__package__}.own", "__package__": __package__}
            linecache.cache[NAME] = (
                len(self.text),
                None,
                self.text.splitlines(keepends=True),
                NAME,
            )
            exec(compile(self.text, NAME, "exec"), self.namespace)
        if name not in self.namespace:
            raise LookupError(f"the assignment's {NAME} defines no '{name}'")
        return self.namespace[name]


TEXT = Text()


def __getattr__(name: str) -> Any:
    """The probe of that name, as any module has its functions."""
    if name.startswith("__"):
        raise AttributeError(name)
    return TEXT.find(name)
