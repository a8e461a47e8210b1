"""What comes out of a box is taken only if it is plain, bounded data: `evidence.py`, `wire.py`."""

from __future__ import annotations

import json
import struct

import numpy as np
import pytest

from autograder.errors import EvidenceError
from autograder.inside.box import wire
from autograder.model import ErrorInfo, Evidence, LoadReport, Usage
from autograder.results import files
from autograder.sandbox.evidence import (
    AGAIN_CAP,
    BLOB_CAP,
    HEADER_CAP,
    answer_frame,
    load_frame,
    pack_tensors,
    parse_header,
    parse_tensors,
    read_answer,
    read_load,
    refused,
)


def header(**values: object) -> bytes:
    return json.dumps({"status": "done", **values}).encode()


def test_an_honest_answer_is_read() -> None:
    usage = {"wall_s": 0.1, "cpu_s": 0.1, "max_rss_mb": 1.0}
    blob = pack_tensors({"a": np.arange(4.0).reshape(2, 2)})
    found = read_answer(header(data={"x": 1}, usage=usage), blob)
    assert (found.status, found.data, found.usage.wall_s) == ("done", {"x": 1}, 0.1)
    assert found.needs == () and read_answer(header(needs=["a"]), b"").needs == ("a",)
    np.testing.assert_array_equal(found.tensors["a"], [[0, 1], [2, 3]])


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b"\xff\xfe",
        b'{"status": "done", "data": {"x": NaN}}',
        b'{"status": "done", "data": {"x": Infinity}}',
        b'{"status": "done", "data": {"x": 1e999}}',
        b'{"status": "done", "status": "done"}',
        b'{"status": "passed"}',
        b'{"status": "done", "data": {"x": ' + b"9" * 400 + b"}}",
        b'{"status": "done", "data": {"x": ' + b"[" * 40 + b"]" * 40 + b"}}",
        b'{"status": "done", "data": []}',
        b'{"status": "done", "usage": {"wall_s": "1"}}',
        b'{"status": "done", "usage": {"wall_s": -1}}',
        b'{"status": "error", "error": {"type": 3, "message": ""}}',
        b'{"status": "done", "needs": "sklearn"}',
        b'{"status": "done", "needs": [3]}',
        b'{"status": "done", "needs": [' + b'"a",' * 30 + b'"a"]}',
        b'{"status": "done", "data": ' + b'{"a":' * 5000 + b"1" + b"}" * 5000 + b"}",
    ],
)
def test_a_hostile_header_is_refused(raw: bytes) -> None:
    found = read_answer(raw, b"")
    assert found.status == "error" and found.error is not None
    assert found.error.type == "EvidenceRefused"
    assert read_load(raw).status == "crash"


def huge_header() -> bytes:
    text = json.dumps({"a": {"dtype": "F64", "shape": [10**9, 10**9], "data_offsets": [0, 8]}})
    return struct.pack("<Q", len(text)) + text.encode() + b"\0" * 8


@pytest.mark.parametrize(
    "blob",
    [
        b"x",
        b"\0" * 8,
        b"\xff" * 64,
        huge_header(),
        b"\x80\x04\x95\x1f\x00\x00\x00\x00\x00\x00\x00\x8c\x02os\x94",  # a pickle
        pack_tensors({"a": np.zeros(4)})[:-1],
    ],
)
def test_hostile_tensors_are_refused(blob: bytes) -> None:
    with pytest.raises(EvidenceError):
        parse_tensors(blob)
    assert read_answer(header(), blob).status == "error"


def test_too_much_is_refused() -> None:
    with pytest.raises(EvidenceError, match="over the limit"):
        parse_tensors(b"\0" * (BLOB_CAP + 1))
    with pytest.raises(EvidenceError, match="over the limit"):
        parse_header(b" " * (9 * 2**20))
    with pytest.raises(EvidenceError, match="too many"):
        parse_tensors(pack_tensors({str(i): np.zeros(1) for i in range(5000)}))


def test_tensors_are_packed_the_same_whatever_the_order() -> None:
    a, b = np.ones(3), np.zeros((2, 2), dtype=np.uint8)
    assert pack_tensors({"a": a, "b": b}) == pack_tensors({"b": b, "a": a})


def test_a_load_report_is_read_and_capped() -> None:
    error = {"type": "ValueError", "message": "no", "line": 3, "cell": None, "traceback": ""}
    raw = header(output="hi", load={"errors": [error], "names": ["f"], "report": {}, "threads": 0})
    report = read_load(raw)
    assert (report.status, report.output, report.names) == ("done", "hi", ("f",))
    assert str(report.errors[0]) == "ValueError at line 3: no"
    many = header(load={"errors": [error] * 51})
    assert read_load(many).status == "crash"


def test_what_was_taken_elsewhere_is_taken_here_as_it_is() -> None:
    arrays = {
        "scalar": np.array(3),
        "turned": np.arange(6, dtype=np.float32).reshape(2, 3).T,
        "none": np.zeros((0, 4), dtype=bool),
    }
    for evidence in (
        Evidence(
            "done",
            {"b": [1e15, -0.0, None, 2**62], "a": {"text": "\ud800 é \x00"}},
            arrays,
            usage=Usage(0.125, 0.3, 7.0),
            needs=("the module 'x'",),
        ),
        Evidence("timeout", detail="more than 2 s", error=ErrorInfo("E", "m", 1, 2, "tb")),
        refused("a key twice"),
    ):
        again = read_answer(*answer_frame(evidence), AGAIN_CAP)
        assert list(again.data) == list(evidence.data)
        assert files.evidence_files("d", again) == files.evidence_files("d", evidence)
    error = ErrorInfo("ValueError", "no", 3, None, "tb")
    for report in (
        LoadReport("done", (error,), ("f", "g"), "é\n" * 9, {"threads": [1]}, "", Usage(1.5)),
        LoadReport("crash", detail="its report was refused"),
        LoadReport("output", detail="over"),
    ):
        assert read_load(load_frame(report), AGAIN_CAP) == report


@pytest.mark.parametrize("text", ["é" * (4 * 2**20 - 50), "[" + "1e15," * 1_600_000 + "0]"])
def test_a_header_that_was_taken_once_is_taken_again(text: str) -> None:
    data = text if text.startswith("[") else f'"{text}"'
    raw = f'{{"status": "done", "data": {{"x": {data}}}}}'.encode()
    first = read_answer(raw, b"")
    assert first.status == "done"
    written, _ = answer_frame(first)
    assert len(written) > HEADER_CAP  # so the first cap would not do
    assert read_answer(written, b"", AGAIN_CAP).data == first.data


def test_frames_say_their_length() -> None:
    frame = wire.pack({"a": 1}, b"blob")
    assert wire.unpack(frame) == ({"a": 1}, b"blob")
    assert wire.expected(frame[:7], 100) is None
    assert wire.expected(frame, 100) == len(frame)
    with pytest.raises(wire.WireError, match="over the limit"):
        wire.expected(wire.HEAD.pack(2**31, 2**31), 2**20)
    for broken in (frame[:-1], frame + b"x", b"", wire.HEAD.pack(1, 0) + b"["):
        with pytest.raises(wire.WireError):
            wire.unpack(broken)
    with pytest.raises(ValueError, match="Out of range"):
        wire.pack({"x": float("nan")})
