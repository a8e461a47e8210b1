"""Watching a function or a method: something before, something after, the same result.

Theory. A program under watch must not notice it. So a watched function keeps its name, its
signature and its attributes, takes and returns exactly what it did, and raises what it raised;
and an observer's own failure is noted, never raised into the program.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

Before = Callable[[tuple[Any, ...], dict[str, Any]], Any]
After = Callable[[Any, tuple[Any, ...], dict[str, Any], Any], None]
Raised = Callable[[Any, tuple[Any, ...], dict[str, Any], BaseException], None]


def watch(
    owner: Any,
    name: str,
    failed: Callable[[BaseException], None],
    before: Before | None = None,
    after: After | None = None,
    raised: Raised | None = None,
) -> None:
    """Replace `owner.name` by itself under watch.

    `before(args, kwargs)` may return a note, which `after(note, args, kwargs, result)` gets, or,
    where the function raised, `raised(note, args, kwargs, error)`. What these themselves raise
    goes to `failed`.
    """
    original = getattr(owner, name)

    @functools.wraps(original)
    def watched(*args: Any, **kwargs: Any) -> Any:
        note = None
        if before is not None:
            try:
                note = before(args, kwargs)
            except Exception as e:
                failed(e)
        try:
            result = original(*args, **kwargs)
        except BaseException as error:
            if raised is not None:
                try:
                    raised(note, args, kwargs, error)
                except Exception as e:
                    failed(e)
            raise
        if after is not None:
            try:
                after(note, args, kwargs, result)
            except Exception as e:
                failed(e)
        return result

    setattr(owner, name, watched)


def argument(
    args: tuple[Any, ...], kwargs: dict[str, Any], at: int, name: str, default: Any
) -> Any:
    """The argument that a caller may have passed by position or by name."""
    if name in kwargs:
        return kwargs[name]
    return args[at] if len(args) > at else default
