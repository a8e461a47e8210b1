"""Every attack of `reach.py` under every sealed backend; after each, honest work is unharmed."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder.model import Job, Limits, ProbeRequest, Program
from autograder.sandbox import Sandbox, choose
from tests.attacks.backends import BACKENDS, ENGINE
from tests.attacks.reach import REACH, Attack

pytestmark = [pytest.mark.sandbox, pytest.mark.slow]
ROOT = Path(__file__).resolve().parents[2]
CANARY = "canary-7f3a91c2"
LIMITS = Limits(wall_s=20, check_s=10, memory_mb=600, processes=48, file_mb=8)
HONEST = "import torch\ndef f(): return torch.arange(6.0).reshape(2, 3).sum(0).tolist()"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, object]]:
    """Secrets planted on the host, a listening port, and a name for each."""
    base = tmp_path_factory.mktemp("host")
    base.chmod(0o755)
    course = base / "course"
    (course / "assignments" / "x").mkdir(parents=True)
    (course / "assignments" / "x" / "assignment.yml").write_text(CANARY)
    (course / "grading_config.yml").write_text(CANARY)
    other = base / "other"
    other.mkdir()
    (other / "work.py").write_text(CANARY)
    os.environ["FIVE_BEATS_CANARY"] = CANARY
    tcp = socket.create_server(("127.0.0.1", 0))
    port = tcp.getsockname()[1]
    abstract = socket.socket(socket.AF_UNIX)
    abstract.bind(f"\0five-beats-{port}")
    abstract.listen(1)
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", port))
    reached: list[str] = []

    def serve(sock: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                sock.accept()[0].close()
                reached.append("connection")

    threads = [threading.Thread(target=serve, args=(s,), daemon=True) for s in (tcp, abstract)]
    for thread in threads:
        thread.start()
    yield {
        "root": course,
        "host_pid": os.getpid(),
        "other": other,
        "port": port,
        "host_file": base / "written",
        "reached": reached,
        "udp": udp,
    }
    for sock in (tcp, abstract):
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)
        sock.close()
    for thread in threads:
        thread.join(timeout=5)
    udp.close()
    del os.environ["FIVE_BEATS_CANARY"]


@pytest.fixture(scope="module", params=BACKENDS)
def sandbox(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    world: dict[str, object],
) -> Iterator[tuple[Sandbox, Path]]:
    shelf = tmp_path_factory.mktemp("shelf")
    shelf.chmod(0o755)
    (shelf / "mine").mkdir()
    (shelf / "mine" / "hello").write_text("data")
    (shelf / "hidden").mkdir()
    (shelf / "hidden" / "labels").write_text(CANARY)
    if request.param == ENGINE:
        request.getfixturevalue("engine_image")
    made = choose(request.param, shelf, (ROOT, Path(str(world["root"]))))
    yield made, shelf / "mine"
    made.close()


def printed(sandbox: Sandbox, data: Path, code: str) -> str:
    job = Job(Program("script", "work.py", (code,)), {"work.py": code.encode()}, LIMITS, data)
    with sandbox.open(job) as box:
        return box.load().output


@pytest.mark.parametrize("attack", REACH, ids=lambda a: a.name)
def test_it_does_not_get_there(
    sandbox: tuple[Sandbox, Path], world: dict[str, object], attack: Attack
) -> None:
    code = attack.code
    code = code.replace("{canary}", f"{CANARY[:6]!r} + {CANARY[6:]!r}")
    for key in ("root", "host_pid", "other", "port", "host_file"):
        code = code.replace(f"{{{key}}}", str(world[key]))
    code = code.replace("{{", "{").replace("}}", "}")
    before = list(world["reached"])  # type: ignore[call-overload]
    output = printed(*sandbox, code)
    assert "WON" not in output, f"{attack.harm}: {output}"
    assert CANARY not in output
    assert world["reached"] == before, "the attack reached a socket of the host"
    udp = world["udp"]
    assert isinstance(udp, socket.socket)
    udp.setblocking(False)
    with pytest.raises(BlockingIOError):
        udp.recv(1)
    assert not Path(str(world["host_file"])).exists()
    box_maker, data = sandbox
    with box_maker.open(Job(Program("script", "w.py", (HONEST,)), {}, LIMITS, data)) as box:
        assert box.load().status == "done"
        assert box.probe(ProbeRequest("values:call", {"name": "f"})).data["value"] == [3, 5, 7]


def test_the_attacks_win_where_nothing_is_sealed(tmp_path: Path, world: dict[str, object]) -> None:
    """The suite itself: without a box, attacks that need no privilege do succeed."""
    wins = 0
    with contextlib.closing(choose("none", tmp_path)) as none:
        for attack in REACH:
            if attack.name in ("internet", "abstract_socket", "write_the_host", "up_from_here"):
                code = attack.code
                for key in ("root", "port", "host_file"):
                    code = code.replace(f"{{{key}}}", str(world[key]))
                with none.open(Job(Program("script", "w.py", (code,)), {}, LIMITS)) as box:
                    wins += "WON" in box.load().output
    Path(str(world["host_file"])).unlink()
    assert wins == 4
