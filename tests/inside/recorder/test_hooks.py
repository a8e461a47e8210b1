"""How a function is watched: the call stays what it was, and observers stay out of sight."""

from __future__ import annotations

import inspect
import sys
import types
from collections.abc import Iterator
from typing import Any

import pytest
import torch

from autograder.inside.recorder.hooks import alike, aside, watch
from autograder.inside.recorder.log import names_of
from autograder.inside.recorder.tensors import concrete, modules, parameters, real


class Place:
    """Somewhere for a function to be."""

    @staticmethod
    def add(items: Any, more: int = 1) -> Any:
        """Add to each item."""
        return [i + more for i in items]


@pytest.fixture
def place() -> types.SimpleNamespace:
    return types.SimpleNamespace(add=Place.add)


def unfailing(error: BaseException) -> None:
    raise AssertionError from error


@pytest.mark.parametrize(
    "make",
    [
        lambda: (n for n in (1, 2, 3)),
        lambda: iter([1, 2, 3]),
        lambda: map(int, "123"),
        lambda: [1, 2, 3],
        lambda: dict.fromkeys([1, 2, 3]).keys(),
    ],
)
def test_an_iterator_is_read_and_handed_on(place: types.SimpleNamespace, make: Any) -> None:
    seen: list[Any] = []

    def before(args: Any, kwargs: Any) -> None:
        seen.append(list(args[0] if args else kwargs["items"]))

    watch(place, "add", unfailing, before, once={"items": 0})
    assert place.add(make()) == [2, 3, 4]
    assert place.add(items=make(), more=2) == [3, 4, 5]
    assert seen == [[1, 2, 3], [1, 2, 3]]


def test_an_iterator_keeps_its_kind_and_its_error() -> None:
    def broken() -> Iterator[int]:
        yield 1
        raise KeyError("two")

    got: list[Any] = []
    owner = types.SimpleNamespace(take=got.append)
    watch(owner, "take", unfailing, lambda a, k: None, once={"items": 0})
    owner.take(n for n in (1, 2))
    owner.take(iter([1, 2]))
    owner.take(broken())
    assert isinstance(got[0], types.GeneratorType)
    assert not isinstance(got[1], types.GeneratorType)
    assert next(got[2]) == 1
    with pytest.raises(KeyError):
        next(got[2])


def test_what_an_observer_raises_and_what_the_function_raises(place: types.SimpleNamespace) -> None:
    failed: list[BaseException] = []
    told: list[Any] = []

    def stumble(*given: Any) -> None:
        raise OSError("observer")

    def raised(note: Any, args: Any, kwargs: Any, error: BaseException) -> None:
        told.append((note, type(error)))

    watch(place, "add", failed.append, stumble, stumble, raised)
    assert place.add([1]) == [2]
    with pytest.raises(TypeError):
        place.add(3)
    assert [type(e) for e in failed] == [OSError] * 3
    assert told == [(None, TypeError)]


def test_only_the_outermost_call_of_a_function_is_watched() -> None:
    calls: list[int] = []

    class Tree:
        def size(self, depth: int) -> int:
            return 1 + (self.size(depth - 1) if depth else 0)

    looks = inspect.signature(Tree.size)
    watch(Tree, "size", unfailing, lambda a, k: calls.append(a[1]))
    assert Tree().size(4) == 5
    assert calls == [4]
    assert inspect.signature(Tree.size) == looks
    assert Tree.size.__qualname__.endswith("Tree.size")


@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")
def test_no_mode_or_subclass_sees_an_observer() -> None:
    seen: list[str] = []

    class Loud(torch.Tensor):
        @classmethod
        def __torch_function__(
            cls, func: Any, types: Any, args: Any = (), kwargs: Any = None
        ) -> Any:
            seen.append(func.__name__)
            made: Any = super().__torch_function__  # untyped
            return made(func, types, args, kwargs or {})

    x = torch.ones(3).as_subclass(Loud)
    assert aside(unfailing, lambda: float(real(x).sum())) == 3.0
    assert seen == []

    def step(a: torch.Tensor) -> torch.Tensor:
        aside(unfailing, a.sum)
        return a * 2

    traced: Any = torch.jit.trace(step, torch.ones(2))  # type: ignore[no-untyped-call]
    assert "sum" not in str(traced.graph)


@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")
def test_a_wrapped_function_is_compiled_as_the_one_within() -> None:
    owner = types.SimpleNamespace()

    def twice(x: torch.Tensor) -> torch.Tensor:
        return x * 2

    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return twice(*args, **kwargs)

    owner.twice = twice
    alike(owner, "twice", wrapper)
    assert owner.twice is not twice
    assert torch.jit.script(owner.twice)(torch.ones(1)).item() == 2.0


def test_the_names_of_a_frame_are_read_without_a_trace() -> None:
    def plain() -> tuple[dict[str, Any], dict[str, Any]]:
        a, b = 1, [2]
        names = names_of(sys._getframe())
        del a
        return names, {"kept": sys.getrefcount(b)}

    def asking() -> tuple[dict[str, Any], list[str]]:
        given = locals()
        later = 1
        names = names_of(sys._getframe())
        return names, [*given, *([] if later else ["never"])]

    names, told = plain()
    assert (names["a"], names["b"]) == (1, [2])
    del names
    assert plain()[1] == told
    assert asking() == ({}, [])


def test_what_a_module_holds_is_read_past_methods_of_its_own() -> None:
    class Odd(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one, self.two = torch.nn.Linear(2, 2), torch.nn.Linear(2, 2)
            self.two.weight = self.one.weight

        def parameters(self, which: str) -> Any:  # type: ignore[override]
            raise AssertionError(which)

        modules = named_modules = children = named_parameters = parameters  # type: ignore[assignment]

    assert [type(m).__name__ for m in modules(Odd())] == ["Odd", "Linear", "Linear"]
    assert [tuple(p.shape) for p in parameters(Odd())] == [(2, 2), (2,), (2,)]


@pytest.mark.filterwarnings("ignore:torch.quantize_per_tensor:UserWarning")
def test_which_tensors_can_be_read() -> None:
    x = torch.ones(2, 3)
    assert concrete(x)
    assert concrete(torch.nn.Parameter(x))
    assert real(torch.tensor([1 + 2j])).tolist() == [1.0, 2.0]
    assert not concrete(x.to_sparse())
    assert not concrete(x.to("meta"))
    assert not concrete(torch.quantize_per_tensor(x, 0.1, 0, torch.qint8))
    inner: list[bool] = []

    def look(row: torch.Tensor) -> torch.Tensor:
        inner.append(concrete(row))
        return row

    torch.func.vmap(look)(x)
    assert inner == [False]
