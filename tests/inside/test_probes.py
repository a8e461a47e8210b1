"""Requests name a probe by a name that stays, wherever its function has moved to."""

from __future__ import annotations

import ast
import inspect
import re

import pytest

from autograder.inside import probes
from tests.harness import ROOT

NAME = re.compile(r"[a-z_]+:[a-z_]+")


def asked() -> set[str]:
    """Every name that the grader's own code writes into a request."""
    found = set()
    for path in sorted((ROOT / "autograder").rglob("*.py")):
        if path.is_relative_to(ROOT / "autograder" / "inside"):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "ProbeRequest":
                name = node.args[0] if node.args else None  # as one that came over the wire
                if isinstance(name, ast.Constant) and isinstance(name.value, str):
                    found.add(name.value)
    return found


@pytest.mark.parametrize("name", sorted(probes.PROBES))
def test_each_name_leads_to_a_probe(name: str) -> None:
    assert NAME.fullmatch(name)
    probe = probes.find(name)
    assert list(inspect.signature(probe).parameters) == ["program", "args", "tensors"]


def test_every_name_that_is_asked_for_is_known() -> None:
    names = asked()
    assert names
    assert names <= set(probes.PROBES)


def test_old_names_stay() -> None:
    """The digest of a request holds its name, and kept evidence is found by that digest."""
    for name in ("flight:record", "flight:accelerated", "values:call"):
        assert callable(probes.find(name))


def test_no_other_function_can_be_called() -> None:
    for name in ("nets:finite", "training:", "", "os:system", "recorder:record"):
        with pytest.raises(LookupError, match="no probe is called"):
            probes.find(name)
