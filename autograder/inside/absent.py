"""Modules that a program imports and this environment lacks: named, and held against nobody.

    the student's own file, or one that is installed   imported as ever
    inside `try: … except ImportError:`                absent, as the program is prepared for
    listed in `known`                                  a stand-in, with which the program goes on
    like a name that could be meant, or one of `OWN`   ModuleNotFoundError: a slip of the student's
    anything else                                      `AbsentModule`: a person is asked

Theory. Of a program that imports seaborn mostly only a picture hangs on it, and of one that
imports scikit-learn often only a line of print. So a stand-in (`StandIn`) is lazy: its attributes,
calls and sums are stand-ins again, it prints as words that say what is missing, and pyplot draws
nothing of it. But nothing is ever computed with it. Where it is needed as a number, a truth value,
an array, a tensor, a sequence or a file, `AbsentModule` is raised, which names the module; and so
it is where a module that computes is called with what it may change or must call back (a network,
an optimizer, a loader, a loss, a function of the program) or is to fix a seed. A progress bar goes
through what it was given.

Every need is written down too (`needs`), for a program may catch what is raised. Each answer that
leaves the process carries that list, and outside it a check that is not passed asks a person
instead of taking points (`judge`). A stand-in that is never needed changes nothing and is only
mentioned.

Only import statements of the program itself find stand-ins: nothing is put into `sys.modules`, so
libraries go on seeing that a module is absent. `builtins.__import__` is wrapped for that.
"""

# ruff: noqa: SLF001 - stand-ins look into each other, and frames tell what a program is doing

from __future__ import annotations

import abc
import ast
import builtins
import contextlib
import dis
import functools
import importlib
import importlib.util
import linecache
import os
import pkgutil
import re
import sys
import tempfile
import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from . import known

NEEDS_CAP, DEPTH_CAP, ROWS_CAP = 20, 12, 1_000
_MARK = "absent_module_"
"""How the types of stand-ins begin, which others' errors name: "must be real number, not …"."""
_MARKED = re.compile(_MARK + r"(\w+)")
_PARTS = (ast.For, ast.While, ast.FunctionDef, ast.ClassDef)
_IMPORT_ERRORS = frozenset(("ImportError", "ModuleNotFoundError"))
_ANY_ERROR = frozenset(("Exception", "BaseException"))
_REMAINDER = (6, 19)  # NB_REMAINDER and NB_INPLACE_REMAINDER, the arguments of BINARY_OP
_HERE = os.path.dirname(os.path.abspath(__file__))


class AbsentModule(ModuleNotFoundError):  # noqa: N818 - students read it as a sentence
    """The program needs a module that is not installed here; `name` says which."""


@dataclass
class _Record:
    """What one process found absent. `guarded` are the modules whose imports were guarded, by the
    names that those left unbound.
    """

    used: dict[str, None] = field(default_factory=dict)
    needs: dict[str, None] = field(default_factory=dict)
    printed: dict[str, None] = field(default_factory=dict)
    called: dict[str, None] = field(default_factory=dict)
    guarded: dict[str, str] = field(default_factory=dict)
    files: Mapping[str, object] = field(default_factory=dict)
    home: str = ""


_record = _Record()


def needs() -> list[str]:
    """What the program needed so far and this place does not have, in words."""
    return list(_record.needs)[:NEEDS_CAP]


def used() -> list[str]:
    """The absent modules that had a stand-in so far."""
    return list(_record.used)[:NEEDS_CAP]


def need(what: str) -> None:
    """Write down that the program needs something that nobody has here."""
    _record.needs.setdefault(what[:200])


def forget_calls() -> None:
    """Begin to write down anew which absent modules are called to compute something."""
    _record.called.clear()


def need_called() -> None:
    """Say that what was called since `forget_calls` is judged."""
    _record.needs.update(_record.called)


def need_printed() -> None:
    """Say that what the program prints is judged: printing a value of a stand-in needs it."""
    _record.needs.update(_record.printed)


def _module(name: str) -> str:
    return f"the module '{name}'"


def _lack(name: str, how: str) -> AbsentModule:
    """The error for a need of module `name`, which is written down."""
    need(_module(name))
    return AbsentModule(f"needs the module '{name}', which is not installed here: {how}", name=name)


# -- stand-ins ---------------------------------------------------------------------------------


@dataclass
class _Facts:
    """What a stand-in stands for. `path` is what the program wrote ("sklearn.metrics.f1_score()"),
    `lacking` the module to install; `derived` marks the result of an operator, and `over` is what a
    progress bar goes through, `text` what a table or a coloured word is printed as.
    """

    path: str
    lacking: str
    shows: bool
    derived: bool = False
    over: Iterable[Any] | None = None
    text: str = ""
    kept: dict[str, Any] = field(default_factory=dict)

    @property
    def value(self) -> bool:
        """Whether it stands for something computed, and not for a module, a class or a function."""
        return self.derived or "(" in self.path


class NoSetting(AttributeError):  # noqa: N818 - students read it as a sentence
    """A setting that only an absent module could know; `need` says so."""

    def __init__(self, name: str) -> None:
        self.need = f"the setting '{name}' of an experiment tracker"
        super().__init__(f"needs {self.need}, which the program did not set itself")


class _Config(dict[str, Any]):
    """`wandb.config`: the settings that the program itself put there, by key or attribute."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if name not in self:
            raise NoSetting(name)
        return self[name]

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value

    def update(self, *args: Any, **kwargs: Any) -> None:
        kwargs.pop("allow_val_change", None)
        super().update(*[_settings(a) for a in args], **kwargs)

    setdefaults = update


def _settings(value: Any) -> Mapping[str, Any]:
    """A program's settings as a mapping, also where they are an `argparse.Namespace`."""
    return value if isinstance(value, Mapping) else dict(getattr(value, "__dict__", {}))


class StandIn:
    """An object of an absent module, or the module itself: see the head of this file."""

    __slots__ = ("__weakref__", "_stand_in")
    _stand_in: _Facts

    def __getattr__(self, name: str) -> Any:
        facts = self._stand_in
        if name in facts.kept:
            return facts.kept[name]
        if name == "__all__":  # `from seaborn import *`: what names it would bind nobody knows
            need(_module(facts.lacking))
            return []
        asks = sys._getframe(1).f_code.co_filename
        if name.startswith("_") or (asks.startswith(_HERE) and asks != __file__):
            raise AttributeError(name)  # to a probe that looks through globals it is nothing
        facts.kept[name] = child = self._child(name)
        return child

    def _child(self, name: str) -> Any:
        facts = self._stand_in
        if name[0].isupper() and name.endswith(("Error", "Exception", "Warning")):
            return type(name, (Warning if name.endswith("Warning") else Exception,), {})
        if name == "config" and facts.shows:
            return _configs.setdefault(facts.lacking, _Config())
        if name.isupper() and facts.lacking in ("colorama", "crayons", "sty", "ansi"):
            return ""  # colours are text that is put before text
        path = f"{facts.path}.{name}"
        listed = None if "(" in path else known.kind(path)
        return stand_in(path, facts.lacking, shows=facts.shows if listed is None else listed)

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "_stand_in":
            object.__setattr__(self, name, value)
        elif self._stand_in.lacking not in known.BARS:  # `bar.text = "x"`, and then `bar.text("y")`
            self._stand_in.kept[name] = value

    def __delattr__(self, name: str) -> None:
        self._stand_in.kept.pop(name, None)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        facts = self._stand_in
        path = facts.path.replace("()", "")
        name = path.rpartition(".")[2]
        if facts.lacking in known.PRINTS and name in known.VERBS:
            print(*args)
        if path in known.TEXTS:
            return ""
        if args and _gives_back(facts, path, args, kwargs):
            return args[0]
        given = (*args, *kwargs.values())
        if not facts.shows and ("seed" in name or any(map(_live, given))):
            raise _lack(facts.lacking, f"{facts.path} is called")
        if not facts.shows and any(map(_lambda, given)):  # for a table, or to train by
            need(_module(facts.lacking))
        if not facts.shows:
            _record.called.setdefault(_module(facts.lacking))
        made = stand_in(f"{facts.path}()", facts.lacking, shows=facts.shows)
        if known.iterates(path):
            made._stand_in.over = _passed(name, args, kwargs)
        if facts.lacking in known.PRINTS:
            made._stand_in.text = " ".join(map(str, args))
        if facts.shows and "config" in kwargs:
            made.config.update(_settings(kwargs["config"]))
        return made

    # -- what is lazy

    def __str__(self) -> str:
        facts = self._stand_in
        if facts.text:
            return facts.text
        if not facts.shows or facts.lacking in known.PRINTS:
            _record.printed.setdefault(_module(facts.lacking))
        return f"<{facts.path}: {facts.lacking} is not installed here>"

    __repr__ = __str__

    def __format__(self, spec: str) -> str:
        return str(self)

    def __getitem__(self, key: Any) -> Any:
        facts = self._stand_in
        if facts.over is not None:
            return facts.over[key]  # type: ignore[index]
        return self._derived(f"{facts.path}[…]")

    def __setitem__(self, key: Any, value: Any) -> None:
        """Nothing is kept: it would not come back as what the module makes of it."""

    def __delitem__(self, key: Any) -> None:
        """See `__setitem__`."""

    def __enter__(self) -> StandIn:
        return self

    def __exit__(self, *_: object) -> None:
        """What the block raised goes on."""

    def __copy__(self) -> StandIn:
        return self

    def __deepcopy__(self, memo: Any) -> StandIn:
        return self

    def __instancecheck__(self, value: Any) -> bool:
        mine = self._stand_in.lacking
        return isinstance(value, StandIn) and value._stand_in.lacking == mine

    def __subclasscheck__(self, kind: Any) -> bool:
        return False

    def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[type, ...]:
        facts = self._stand_in
        return (_base(facts) if facts.shows else _unmade(facts),)

    def _derived(self, path: str) -> Any:
        facts = self._stand_in
        return stand_in(path, facts.lacking, shows=facts.shows, derived=True)

    def __hash__(self) -> int:
        return id(self)

    # -- what needs the module

    def _needed(self, how: str) -> AbsentModule:
        facts = self._stand_in
        return _lack(facts.lacking, f"{facts.path} is used as {how}")

    def __bool__(self) -> bool:
        facts = self._stand_in
        if not facts.value or (facts.shows and not facts.derived):
            return True  # as any object is: `if writer:`
        raise self._needed("a truth value")

    def __len__(self) -> int:
        over: Any = self._stand_in.over
        if over is None:
            raise self._needed("a sequence")
        return len(over)

    def __iter__(self) -> Iterator[Any]:
        facts = self._stand_in
        if facts.over is not None:
            return iter(facts.over)
        count = _unpacked(sys._getframe(1))
        if count is None:
            raise self._needed("a sequence")
        return iter([self._derived(f"{facts.path}[{i}]") for i in range(count)])

    def __contains__(self, value: Any) -> bool:
        raise self._needed("a sequence")

    def __float__(self) -> float:
        if _in_text(sys._getframe(1)):
            self.__str__()
            return float("nan")
        raise self._needed("a number")

    def __int__(self) -> int:
        if _in_text(sys._getframe(1)):
            self.__str__()
            return 0
        raise self._needed("a number")

    def __index__(self) -> int:
        raise self._needed("a number")

    def __complex__(self) -> complex:
        raise self._needed("a number")

    def __bytes__(self) -> bytes:
        raise self._needed("bytes")

    def __fspath__(self) -> str:
        facts = self._stand_in
        if not facts.shows:
            raise self._needed("a file")
        folder = os.path.join(tempfile.gettempdir(), f"{facts.lacking}-of-nobody")
        os.makedirs(folder, exist_ok=True)  # a place for what is saved beside the logs
        return folder

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise self._needed("an array")

    def __array_ufunc__(self, *args: Any, **kwargs: Any) -> Any:
        raise self._needed("an array")

    @classmethod
    def __torch_function__(
        cls, function: Any, kinds: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        found = next(_among((*args, *(kwargs or {}).values())), None)
        raise _lack("?", "") if found is None else found._needed("a tensor")

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise self._needed("something to save")


def _operators() -> None:
    """Give `StandIn` every operator, each with a stand-in for its result."""
    binary = ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "divmod",
              "and", "or", "xor", "lshift", "rshift")  # fmt: skip
    unary = ("neg", "pos", "abs", "invert", "round", "trunc", "floor", "ceil")
    ordering = ("lt", "le", "gt", "ge")
    names = [f"__{n}__" for n in (*binary, *(f"r{n}" for n in binary), *unary, *ordering)]

    def operator(self: StandIn, *args: Any) -> Any:
        return self._derived(self._stand_in.path)

    def equal(self: StandIn, other: Any) -> Any:
        return self._derived(self._stand_in.path) if self._stand_in.value else self is other

    def unequal(self: StandIn, other: Any) -> Any:
        return self._derived(self._stand_in.path) if self._stand_in.value else self is not other

    for name in names:
        setattr(StandIn, name, operator)
    StandIn.__eq__, StandIn.__ne__ = equal, unequal  # type: ignore[method-assign, assignment]


_operators()


@functools.lru_cache(maxsize=256)
def _class(lacking: str) -> type[StandIn]:
    name = _MARK + re.sub(r"\W", "_", lacking)
    return type(name, (StandIn,), {"__slots__": ()})


def real(value: Any, name: str) -> Any:
    """`value`, which the program calls `name`; raises `AbsentModule` for a stand-in."""
    if isinstance(value, StandIn):
        raise value._needed(f"'{name}'")
    return value


def stand_in(path: str, lacking: str, *, shows: bool, derived: bool = False) -> StandIn:
    """A stand-in for what stands at `path` in a program that lacks the module `lacking`."""
    _record.used.setdefault(lacking)
    _draw_nothing()
    made = _class(lacking)()
    made._stand_in = _Facts(path[:300], lacking, shows, derived)
    return made


def _base(facts: _Facts) -> type:
    """A class to derive from in the place of one that only shows something."""

    class Base:
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__()

        def __getattr__(self, name: str) -> Any:
            if name.startswith("_"):
                raise AttributeError(name)
            return stand_in(f"{facts.path}.{name}", facts.lacking, shows=True)

        def __init_subclass__(cls, **kwargs: Any) -> None:
            super().__init_subclass__()

    return Base


def _unmade(facts: _Facts) -> type:
    """A class to derive from in the place of one that computes something. To derive from it needs
    nothing yet, and so the program goes on; to make an object of it does, or to use the class.
    """
    how = f"a class that is derived from {facts.path} is used"

    class Kind(abc.ABCMeta):  # as some bases that stand beside it are
        def __getattr__(cls, name: str) -> Any:
            if name.startswith("__"):
                raise AttributeError(name)
            raise _lack(facts.lacking, how)

    class Base(metaclass=Kind):
        def __new__(cls, *_: Any, **__: Any) -> Any:
            raise _lack(facts.lacking, how)

        def __init_subclass__(cls, **kwargs: Any) -> None:
            super().__init_subclass__()

    return Base


def _gives_back(facts: _Facts, path: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Whether a call gives back its first argument: a decorator, or a function that only looks."""
    if path in known.RETURNS:
        return _code(args[0]) or not isinstance(args[0], str) or path == "termcolor.colored"
    return facts.shows and len(args) == 1 and not kwargs and _code(args[0])  # `@logger.catch`


def _passed(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Iterable[Any] | None:
    """What a progress bar goes through: the first thing given that can be gone through."""
    if name in ("trange", "tnrange"):
        return range(*(a for a in args if isinstance(a, int)))
    for value in (*args, *kwargs.values()):
        if isinstance(value, StandIn):
            if value._stand_in.over is not None:  # a bar around a bar
                return value
        elif isinstance(value, Iterable) and not isinstance(value, (str, bytes, Mapping)):
            return value
    return None


_configs: dict[str, _Config] = {}
"""The settings that a program gave to a module that keeps them, by the module's name."""
_roots: dict[str, StandIn] = {}
"""The stand-ins of whole modules, so that a program finds the same one wherever it imports it."""


def _code(value: Any) -> bool:
    """Whether a value is a function or a class of the program's."""
    return isinstance(value, (types.FunctionType, types.MethodType, type))


def _live(value: Any, depth: int = 0) -> bool:
    """Whether a call might change a value, or must call it back: more than plain data."""
    import torch
    from torch import nn
    from torch.utils.data import DataLoader, Dataset, Sampler

    if isinstance(value, (list, tuple, set)) and depth < 3:
        return any(_live(v, depth + 1) for v in list(value)[:ROWS_CAP])
    if isinstance(value, dict) and depth < 3:
        return any(_live(v, depth + 1) for v in list(value.values())[:ROWS_CAP])
    if isinstance(value, torch.Tensor):
        return value.requires_grad
    if isinstance(value, types.GeneratorType):  # `net.parameters()`, not rows of a table
        return value.gi_code.co_filename.endswith("module.py")
    if isinstance(value, types.FunctionType):
        return not _lambda(value) and _own(value.__code__.co_filename)
    if isinstance(value, type):
        return issubclass(value, nn.Module) or value.__module__ == "__main__"
    if type(value).__module__ == "__main__":
        return True
    holders = (
        nn.Module, torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler,
        torch.amp.GradScaler, DataLoader, Dataset, Sampler, types.MethodType, functools.partial,
    )  # fmt: skip
    return isinstance(value, holders)


def _lambda(value: Any) -> bool:
    return isinstance(value, types.FunctionType) and value.__name__ == "<lambda>"


def _among(values: Iterable[Any], depth: int = 0) -> Iterator[StandIn]:
    """The stand-ins among values and in the lists among them."""
    for value in values:
        if isinstance(value, StandIn):
            yield value
        elif isinstance(value, (list, tuple)) and depth < 3:
            yield from _among(value[:ROWS_CAP], depth + 1)
        elif isinstance(value, dict) and depth < 3:
            yield from _among(list(value.values())[:ROWS_CAP], depth + 1)


def _instruction(frame: types.FrameType) -> tuple[str, int]:
    """The name and the argument of what a frame is carrying out."""
    code, at = frame.f_code.co_code, frame.f_lasti
    return (dis.opname[code[at]], code[at + 1]) if 0 <= at < len(code) - 1 else ("", 0)


def _unpacked(frame: types.FrameType) -> int | None:
    """How many names a frame unpacks into (`a, b = …`), None where it does something else."""
    name, count = _instruction(frame)
    return count if name == "UNPACK_SEQUENCE" else None


def _in_text(frame: types.FrameType) -> bool:
    """Whether a frame formats text by `%`: a remainder never asks its right side for a number."""
    name, argument = _instruction(frame)
    return name == "BINARY_OP" and argument in _REMAINDER


# -- pyplot ------------------------------------------------------------------------------------


def _draw_nothing() -> None:
    """From now on pyplot, axes and figures draw nothing of what is a stand-in."""
    pyplot: Any = sys.modules.get("matplotlib.pyplot")
    if pyplot is None or hasattr(pyplot, "_five_beats_stand_ins"):
        return
    pyplot._five_beats_stand_ins = True
    for owner in (pyplot, pyplot.Axes, pyplot.Figure):
        for name in dir(owner):
            drawing = getattr(owner, name)
            if not name.startswith("_") and isinstance(drawing, types.FunctionType):
                setattr(owner, name, _undrawn(drawing))


def _undrawn(drawing: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(drawing)
    def draw(*args: Any, **kwargs: Any) -> Any:
        values = (*args, *kwargs.values())
        found = next(_among(values), None)
        return drawing(*args, **kwargs) if found is None else found._derived("a picture of it")

    return draw


# -- imports -----------------------------------------------------------------------------------

_import = builtins.__import__
_import_module = importlib.import_module


def install(files: Mapping[str, object]) -> None:
    """Let the program whose code is in `files`, and the modules below the working folder, import
    what is absent; forget what another program of this process did.
    """
    global _record
    _record = _Record(files=files, home=os.getcwd())
    _roots.clear()
    _configs.clear()
    builtins.__import__ = _importing
    importlib.import_module = _importing_module


def _importing(
    name: str, globals: Any = None, locals: Any = None, fromlist: Any = (), level: int = 0
) -> Any:
    """`__import__`, with stand-ins for what is absent."""
    try:
        found = _import(name, globals, locals, fromlist, level)
    except ModuleNotFoundError as error:
        stands = None
        if level == 0 and error.name:
            stands = _offered(error, name, tuple(fromlist or ()), sys._getframe(1))
        if stands is None:
            raise
        return stands
    if fromlist and level == 0 and known.listed_below(name):
        for item in fromlist:  # `from google import colab`
            path = f"{name}.{item}"
            if not hasattr(found, item) and known.kind(path) is True:
                setattr(found, item, stand_in(path, path, shows=True))
    return found


def _importing_module(name: str, package: str | None = None) -> Any:
    """`importlib.import_module`, with stand-ins for what is absent."""
    try:
        return _import_module(name, package)
    except ModuleNotFoundError as error:
        if name.startswith(".") or not error.name:
            raise
        stands = _offered(error, name, ("*",), sys._getframe(1))
        if stands is None:
            raise
        return stands


def _own(filename: str) -> bool:
    """Whether a file is of the student's code."""
    if filename in _record.files:
        return True
    path = os.path.abspath(filename)
    return path.startswith(_record.home + os.sep) and "site-packages" not in path


def _offered(
    error: ModuleNotFoundError, name: str, fromlist: tuple[str, ...], frame: types.FrameType | None
) -> Any:
    """What an import of the program's gets in the place of what `error` misses; None: the error.

    Raises `AbsentModule` for a module that nothing is known of.
    """
    missing = error.name or ""
    if frame is None or isinstance(error, AbsentModule) or not _own(frame.f_code.co_filename):
        return None
    if not lacks(missing):
        return None
    inside = name.partition(".")[0] != missing.partition(".")[0]  # of a module that is here
    lacking = known.entry(missing if inside else name) or missing.partition(".")[0]
    if _guarded(frame, lacking):
        return None
    shows = known.kind(lacking)
    if shows is None:
        raise _lack(lacking, "nobody here knows it") from error
    if inside and name in sys.modules and fromlist != ("*",):  # `from torch.utils import …`
        found = sys.modules[name]
        for item in fromlist:
            if not hasattr(found, item):
                setattr(found, item, _root(f"{name}.{item}", lacking, shows=shows))
        return found
    made = _root(name, lacking, shows=_shows(name, default=shows))
    return made if fromlist else _top(name, made)


def _shows(path: str, *, default: bool) -> bool:
    listed = known.kind(path)
    return default if listed is None else listed


def _root(path: str, lacking: str, *, shows: bool) -> StandIn:
    """The stand-in of the module at `path`, and above it those of its packages."""
    top, _, rest = path.partition(".")
    if lacking.partition(".")[0] != top:
        rest, top = "", path
    made = _roots.get(top)
    if made is None:
        made = _roots[top] = stand_in(top, lacking, shows=_shows(top, default=shows))
    for part in filter(None, rest.split(".")):
        made = getattr(made, part)
    return made


def _top(path: str, made: StandIn) -> Any:
    """What `import a.b.c` binds: `a`, from which the stand-in can be reached."""
    parts = path.split(".")
    for i in range(len(parts) - 1, 0, -1):
        above = sys.modules.get(".".join(parts[:i]))
        if above is not None:
            below = stand_in(".".join(parts[: i + 1]), made._stand_in.lacking, shows=True)
            setattr(above, parts[i], made if i == len(parts) - 1 else below)
            return sys.modules[parts[0]]
    return _roots.get(parts[0], made)


def lacks(missing: str) -> bool:
    """Whether a module that was not found is one that this environment lacks, and no slip."""
    top = missing.partition(".")[0]
    listed = known.entry(missing)
    if "." not in listed and top != missing and _exists(top):
        return False  # `torch.nnn`, or a module of the student's own package
    return bool(listed) or not (top in known.OWN or top.startswith("my") or _slip(top))


def _exists(name: str) -> bool:
    if sys.modules.get(name) is not None:
        return True
    with contextlib.suppress(ImportError, ValueError):
        return importlib.util.find_spec(name) is not None
    return False


def _slip(name: str) -> str:
    """The module that a name is probably a misspelling of, or ""."""
    here = {m.name for m in pkgutil.iter_modules()}
    names = here | sys.stdlib_module_names | known.SHOWS | known.KNOWN | known.OWN
    far = 0 if len(name) < 4 else 1 if len(name) < 8 else 2
    # what only goes on where a name ends is an extension of it: numpyro, torchx
    return next(
        (n for n in sorted(names) if not name.startswith(n) and _distance(name, n) <= far), ""
    )


def _distance(a: str, b: str) -> int:
    """How many letters must be added, left out, changed or swapped with the next to make b of a."""
    if abs(len(a) - len(b)) > 2:
        return 3
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        before, above, row = row, before, [i]
        for j, y in enumerate(b, 1):
            best = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                best = min(best, above[j - 2] + 1)
            row.append(best)
    return row[-1]


# -- guards ------------------------------------------------------------------------------------


def _guarded(frame: types.FrameType, lacking: str) -> bool:
    """Whether the program is prepared for an import, carried out in `frame`, that fails."""
    at: types.FrameType | None = frame
    direct = True
    while at is not None:
        if _own(at.f_code.co_filename):
            handled = _handled(at.f_code.co_filename, at.f_lineno or 0)
            if handled & (_IMPORT_ERRORS | _ANY_ERROR if direct else _IMPORT_ERRORS):
                names = _binds(frame.f_code.co_filename, frame.f_lineno or 0)
                _record.guarded |= dict.fromkeys(names or {""}, lacking)
                return True
            direct = False
        at = at.f_back
    return False


@functools.lru_cache(maxsize=64)
def _tree(text: str) -> ast.Module | None:
    flags = ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    try:
        found = compile(text, "<guards>", "exec", flags, dont_inherit=True)
    except (SyntaxError, ValueError):
        return None
    return found if isinstance(found, ast.Module) else None


def _statements(filename: str, line: int) -> list[ast.stmt]:
    """The statements of a file that hold a line, from without to within."""
    tree = _tree("".join(linecache.getlines(filename)))
    found = [] if tree is None else [n for n in ast.walk(tree) if isinstance(n, ast.stmt)]
    return [n for n in found if n.lineno <= line <= (n.end_lineno or n.lineno)]


def _handled(filename: str, line: int) -> set[str]:
    """The names of the exceptions that handlers around a line catch; "Exception" for a bare one.

    A `try` around loops, functions or classes is about a program, and not about an import.
    """
    names: set[str] = set()
    for node in _statements(filename, line):
        if any(isinstance(n, _PARTS) for part in getattr(node, "body", ()) for n in ast.walk(part)):
            continue
        if isinstance(node, ast.Try) and _within(node.body, line):
            for handler in node.handlers:
                names |= {"Exception"} if handler.type is None else _words(handler.type)
        elif isinstance(node, ast.With) and _within(node.body, line):
            for item in node.items:
                call = item.context_expr
                if isinstance(call, ast.Call) and "suppress" in _words(call.func):
                    names |= {w for a in call.args for w in _words(a)}
    return names


def _within(body: list[ast.stmt], line: int) -> bool:
    return bool(body) and body[0].lineno <= line <= (body[-1].end_lineno or body[-1].lineno)


def _words(node: ast.AST) -> set[str]:
    """The names in an expression, and the last parts of dotted ones."""
    found = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
    return found | {n.attr for n in ast.walk(node) if isinstance(n, ast.Attribute)}


def _binds(filename: str, line: int) -> set[str]:
    """The names that the import statements on a line would have bound."""
    return {
        alias.asname or alias.name.partition(".")[0]
        for node in _statements(filename, line)
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for alias in node.names
    }


# -- errors ------------------------------------------------------------------------------------


def blame(error: BaseException) -> None:
    """Write down what is absent here, if an uncaught error of the program's goes back to that."""
    chain: list[BaseException] = []
    at: BaseException | None = error
    while at is not None and at not in chain and len(chain) < DEPTH_CAP:
        chain.append(at)
        at = at.__cause__ or at.__context__
    for one in chain:
        wanted = getattr(one, "need", "")  # NobodyAnswers
        name = _blamed(one)
        if name or (isinstance(wanted, str) and wanted):
            need(_module(name) if name else wanted)
            return


def _blamed(error: BaseException) -> str:
    if isinstance(error, AbsentModule):
        return error.name or ""
    if isinstance(error, ModuleNotFoundError) and error.name:
        top = error.name.partition(".")[0]
        return known.entry(error.name) or top if lacks(error.name) else ""
    guarded = _record.guarded
    if isinstance(error, NameError) and error.name in guarded:
        return guarded[error.name]  # `try: import seaborn as sns` … and `sns.set()` all the same
    if isinstance(error, AttributeError) and error.obj is None and guarded:
        return next(iter(guarded.values()))
    try:
        found = _MARKED.search(str(error))
    except Exception:  # a hostile __str__ says nothing of modules
        return ""
    return found[1] if found else ""
