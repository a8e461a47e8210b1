"""Watching a function or a method: something before, something after, the same call in between.

Theory. A program under watch must not notice it. So a watched function

    takes, returns and raises   exactly what it did; an iterator that an observer reads is handed
                                on as one that gives the same again
    looks like itself           name, signature, attributes; it is pickled as itself, and
                                `torch.jit.script` compiles the original in its place
    is overridden like itself   subclasses and modes with a `__torch_function__` meet one function,
                                whichever way it was called

and what an observer computes is its own affair (`aside`): no mode, subclass, profiler or trace of
the program's sees it, and its failure is noted, never raised into the program. Of a function that
calls itself only the outermost call is watched.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping
from threading import get_ident
from types import GeneratorType
from typing import Any

import torch
from torch.jit import _builtins
from torch.utils._python_dispatch import _disable_current_modes
from torch.utils.hooks import RemovableHandle

Before = Callable[[tuple[Any, ...], dict[str, Any]], Any]
After = Callable[[Any, tuple[Any, ...], dict[str, Any], Any], None]
Raised = Callable[[Any, tuple[Any, ...], dict[str, Any], BaseException], None]
Failed = Callable[[BaseException], None]
_INHERITED = object()

_hidden = torch._C.DisableTorchFunction  # noqa: SLF001 - no public way, here and below
_tracing = torch._C._get_tracing_state  # noqa: SLF001
_modes = torch._C._len_torch_dispatch_stack  # noqa: SLF001
_profiled = torch._C._autograd._profiler_enabled  # noqa: SLF001
_profile = torch._C._autograd._enable_record_function  # noqa: SLF001
_operator: Callable[[Any], str | None] = _builtins._find_builtin  # noqa: SLF001
_register: Callable[[Any, str], None] = _builtins._register_builtin  # noqa: SLF001


def aside(failed: Failed, observe: Callable[..., Any], *args: Any) -> Any:
    """Call an observer, unseen by the program; None where it failed, or where PyTorch reads the
    program (traces or exports it) instead of running it.
    """
    if _tracing() is not None or torch.compiler.is_compiling():
        return None
    try:
        with _hidden():
            if not _modes() and not _profiled():
                return observe(*args)
            _profile(False)  # noqa: FBT003 - a function of C takes no names
            try:
                with _disable_current_modes():
                    return observe(*args)
            finally:
                _profile(True)  # noqa: FBT003 - as above
    except Exception as e:
        failed(e)
        return None


def alike(owner: Any, name: str, watched: Callable[..., Any]) -> None:
    """Put `watched` in the place of `owner.name`, looking like it in all that can be asked."""
    original = getattr(owner, name)
    functools.update_wrapper(watched, original)
    # pickled by its name: the one by which it is found again
    if inspect.ismodule(owner):
        watched.__module__, watched.__qualname__ = owner.__name__, name
    elif inspect.isclass(owner):
        watched.__module__ = owner.__module__
        watched.__qualname__ = f"{owner.__qualname__}.{name}"
    if inspect.isfunction(original):
        watched.__prepare_scriptable__ = lambda: original  # type: ignore[attr-defined]
    operator = _operator(original)
    if operator is not None:
        _register(watched, operator)
    setattr(owner, name, watched)


class Placed:
    """What one recorder has put in place. `on` while it listens: a function under watch that the
    program holds on to is, after that, the function and nothing else. `handles` are of PyTorch's
    own hooks.
    """

    def __init__(self) -> None:
        self.on = True
        self.handles: list[RemovableHandle] = []
        self._put: list[tuple[Any, str, Any, Callable[..., Any]]] = []

    def put(self, owner: Any, name: str, watched: Callable[..., Any]) -> None:
        """Put `watched` in the place of `owner.name`; see `alike`."""
        before = vars(owner).get(name, _INHERITED)
        alike(owner, name, watched)
        self._put.append((owner, name, before, watched))

    def take_away(self) -> None:
        """Have everything as it was, but for what the program has put there itself since."""
        self.on = False
        for owner, name, before, watched in reversed(self._put):
            if vars(owner).get(name) is not watched:
                continue
            if before is _INHERITED:
                delattr(owner, name)
            else:
                setattr(owner, name, before)
        for handle in self.handles:
            handle.remove()
        self._put, self.handles = [], []


def watch(
    owner: Any,
    name: str,
    failed: Failed,
    before: Before | None = None,
    after: After | None = None,
    raised: Raised | None = None,
    once: Mapping[str, int] | None = None,
    placed: Placed | None = None,
) -> None:
    """Replace `owner.name` by itself under watch.

    `before(args, kwargs)` may return a note, which `after(note, args, kwargs, result)` gets, or,
    where the function raised, `raised(note, args, kwargs, error)`. What these themselves raise
    goes to `failed`. `once` names the arguments, with their places, that may be iterators, which
    can be read once: observers get them as lists. `placed` is what takes it away again.
    """
    placed = placed or Placed()
    original = getattr(owner, name)
    within: set[int] = set()  # the threads that are in it

    def watched(*args: Any, **kwargs: Any) -> Any:
        me = get_ident()
        if me in within or not placed.on:
            return original(*args, **kwargs)
        seen = args, kwargs
        if once:
            args, kwargs, seen = _read(args, kwargs, once)
        within.add(me)
        try:
            note = aside(failed, before, *seen) if before is not None else None
            try:
                result = original(*args, **kwargs)
            except BaseException as error:
                if raised is not None:
                    aside(failed, raised, note, *seen, error)
                raise
            if after is not None:
                aside(failed, after, note, *seen, result)
            return result
        finally:
            within.discard(me)

    placed.put(owner, name, watched)


Arguments = tuple[tuple[Any, ...], dict[str, Any]]


def _read(
    args: tuple[Any, ...], kwargs: dict[str, Any], once: Mapping[str, int]
) -> tuple[tuple[Any, ...], dict[str, Any], Arguments]:
    """The arguments to call with, and the same for observers, with a list for each iterator."""
    theirs, ours = [*args], [*args]
    theirs_named, ours_named = {**kwargs}, {**kwargs}
    for name, at in once.items():
        value = kwargs.get(name, args[at] if at < len(args) else None)
        if not isinstance(value, Iterator):
            continue
        items, again = _replayed(value)
        if name in kwargs:
            theirs_named[name], ours_named[name] = again, items
        else:
            theirs[at], ours[at] = again, items
    return tuple(theirs), theirs_named, (tuple(ours), ours_named)


def _replayed(iterator: Iterator[Any]) -> tuple[list[Any], Iterator[Any]]:
    """What an iterator gives, and another of its kind that gives the same, an error included."""
    items: list[Any] = []
    error: BaseException | None = None
    try:
        items.extend(iterator)
    except Exception as e:
        error = e

    def again() -> Iterator[Any]:
        yield from items
        if error is not None:
            raise error

    plain = error is None and not isinstance(iterator, GeneratorType)
    return items, iter(items) if plain else again()


def argument(
    args: tuple[Any, ...], kwargs: dict[str, Any], at: int, name: str, default: Any
) -> Any:
    """The argument that a caller may have passed by position or by name."""
    if name in kwargs:
        return kwargs[name]
    return args[at] if len(args) > at else default
