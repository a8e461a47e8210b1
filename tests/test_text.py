"""Names and text from outside, made safe to show, to store and to open in a spreadsheet."""

from __future__ import annotations

import pytest

from autograder.text import cell, clean, display_name, slug


@pytest.mark.parametrize(
    "name",
    [
        "../../etc",
        "a/b",
        "Zoë Müller",
        "",
        ".",
        "..",
        "-rf",
        "x" * 300,
        "名前",
        "a\nb",
        "ok-0123abcd",
        ".hidden",
    ],
)
def test_slugs_are_safe_and_differ(name: str) -> None:
    made = slug(name)
    assert made != name and "/" not in made and not made.startswith((".", "-")) and len(made) < 100
    assert made == slug(name) and made != slug(name + "x")
    assert slug(made) != made, "nobody can choose another's slug as a name"


def test_plain_names_stay() -> None:
    assert slug("alice") == "alice" and slug("correct_plain") == "correct_plain"
    assert display_name("  A \x00 B\u202e ") == "A B" and display_name("\x07") == "unnamed"


def test_cells_of_a_spreadsheet() -> None:
    assert [cell(v) for v in ("=1", "+a", "-a", "@x", "\tx", "\r=1", "a\nb\x1b[0m", "-5", "k")] == [
        "'=1", "'+a", "'-a", "'@x", "'x", "'=1", "a b", "-5", "k",
    ]  # fmt: skip
    assert [cell(v) for v in (2.0, 1.5, 1 / 3, 0, -0.0, None, True)] == [
        "2",
        "1.5",
        "0.3333",
        "0",
        "0",
        "",
        "yes",
    ]


def test_printed_text_is_shown_as_a_terminal_would() -> None:
    assert (
        clean("10%\r50%\r100%\nok\r\n\x1b]0;title\x07\x1b[1mb\x1b[0m\u202e", lines=True)
        == "100%\nok\nb"
    )
