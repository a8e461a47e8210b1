"""Unfolding: what a file shows is given back, and what cannot be unpacked is only text."""

from __future__ import annotations

import base64
import json

import pytest

from autograder.authoring.texts import DEPTH, texts_of
from tests.plants import in_zip, zipped


@pytest.mark.parametrize(
    "raw", [b"PK\x03\x04broken", b"\x1f\x8bbroken", b"\x89PNG\r\n\x1a\n\0", b""]
)
def test_a_broken_archive_is_only_text(raw: bytes) -> None:
    assert [part for part, _ in texts_of("x.bin", raw)] == ["name", ""]


def test_a_notebook_that_is_none_is_only_text() -> None:
    assert [part for part, _ in texts_of("x.ipynb", b"{broken")] == ["name", ""]


def test_each_part_says_where_it_stands() -> None:
    book = {"cells": [{"source": ["a <b>b</b>"], "attachments": {"p": {"x": "aGVsbG8gdGhlcmUsIHlvdQ=="}}}]}  # noqa: E501  # fmt: skip
    found = dict(texts_of("x.ipynb", json.dumps(book).encode()))
    assert found["cells[0].source"] == "a <b>b</b>"
    assert found["cells[0].source: as shown"] == "a b"
    assert found["cells[0].attachments.p.x: base64"] == "hello there, you"


def test_what_is_packed_too_deep_is_left_alone() -> None:
    raw = zipped("treasure")
    for _ in range(DEPTH + 1):
        raw = in_zip(raw, "a.zip")
    assert not any("treasure" in text for _, text in texts_of("a.zip", raw))
    assert any("treasure" in text for _, text in texts_of("a.zip", zipped("treasure")))


def test_what_only_looks_like_base64_ends() -> None:
    raw = base64.b64encode(base64.b64encode(base64.b64encode(b"x" * 300)))
    assert len(list(texts_of("x.txt", raw))) < 40
