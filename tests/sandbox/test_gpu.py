"""A GPU enters a box only when it was asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.errors import InputError
from autograder.grading.grader import Grader
from autograder.sandbox import bubblewrap, choose
from autograder.sandbox.container import Container, Shape

ROOT = Path(__file__).resolve().parents[2]
DEVICES = ["/dev/nvidia0", "/dev/nvidiactl"]


def test_bubblewrap_binds_the_devices_only_when_asked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(bubblewrap, "gpu_devices", lambda: DEVICES)
    without = bubblewrap.Bubblewrap(tmp_path)._arguments({}, 3)
    assert not any("nvidia" in word for word in without)
    assert without[without.index("CUDA_VISIBLE_DEVICES") + 1] == ""
    asked = bubblewrap.Bubblewrap(tmp_path, gpu=True)._arguments({}, 3)
    assert [asked[i + 1] for i, word in enumerate(asked) if word == "--dev-bind"] == DEVICES
    assert "CUDA_VISIBLE_DEVICES" not in asked


@pytest.mark.parametrize(
    ("engine", "words"),
    [("podman", ["--device", "nvidia.com/gpu=all"]), ("docker", ["--gpus", "all"])],
)
def test_an_engine_passes_it_only_when_asked(engine: str, words: list[str]) -> None:
    shape = Shape(None, 512, 16, 64)
    with Container(engine) as plain, Container(engine, gpu=True) as asked:
        assert words[0] not in plain._run_arguments("n", shape, "/x")
        found = asked._run_arguments("n", shape, "/x")
        assert found[found.index(words[0]) + 1] == words[1]
        assert "CUDA_VISIBLE_DEVICES=" in plain._run_arguments("n", shape, "/x")
        assert "CUDA_VISIBLE_DEVICES=" not in found


def test_asking_where_there_is_none_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("autograder.grading.grader.gpu_devices", list)
    with pytest.raises(InputError, match="no NVIDIA GPU"):
        Grader(ROOT, "bubblewrap", device="cuda", cache=tmp_path)
    with pytest.raises(InputError, match="passes no GPU"):
        choose("none", tmp_path, gpu=True)
