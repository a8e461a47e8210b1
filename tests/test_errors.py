"""An error is one line: where, what, remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder import errors
from autograder.errors import ConfigError, FiveBeatsError, GraderError, InputError


def test_place_line_and_remedy_stand_in_order() -> None:
    error = ConfigError("unknown key 'pionts'", where=Path("a.yml"), line=7, remedy="'points'?")
    assert str(error) == "a.yml:7: unknown key 'pionts' ('points'?)"


def test_what_is_not_known_is_left_out() -> None:
    assert str(InputError("does not exist")) == "does not exist"
    assert str(InputError("is empty", where="x.py")) == "x.py: is empty"
    assert str(InputError("is empty", remedy="write it")) == "is empty (write it)"


def test_a_line_without_a_place_says_nothing() -> None:
    assert str(InputError("is empty", line=3)) == "is empty"


def test_it_stays_one_line_whatever_is_quoted() -> None:
    error = InputError("said:\n  first\n\tsecond", where="a\nb", remedy="try\nagain")
    assert str(error) == "a b: said: first second (try again)"


@pytest.mark.parametrize(
    "kind",
    [
        c
        for c in vars(errors).values()
        if isinstance(c, type) and issubclass(c, FiveBeatsError) and c is not FiveBeatsError
    ],
)
def test_every_error_is_either_the_users_or_ours(kind: type[FiveBeatsError]) -> None:
    assert issubclass(kind, InputError) != issubclass(kind, GraderError)
