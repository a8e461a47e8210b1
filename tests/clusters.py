"""A Dask cluster of real processes, started by the commands that docs/cluster.md names."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

DASK = str(Path(sys.executable).with_name("dask"))
START_S = 120.0


class Processes:
    """A scheduler, and workers that share nothing with it but the network, on this machine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.address = str(folder / "scheduler.json")
        """The scheduler file."""
        self.workers: list[subprocess.Popen[bytes]] = []
        self.scheduler = self.start(
            "scheduler", "--host", "127.0.0.1", "--port", "0", "--scheduler-file", self.address
        )
        self._until(lambda: Path(self.address).is_file())

    def start(self, *words: str, **more: str) -> subprocess.Popen[bytes]:
        env = {**os.environ, "OMP_NUM_THREADS": "1", **more}
        with (self.folder / f"{words[0]}-{len(self.workers)}.log").open("wb") as log:
            return subprocess.Popen(
                [DASK, *words, "--no-dashboard"], cwd=self.folder, env=env, stdout=log, stderr=log
            )

    def worker(
        self, threads: int = 1, more: Mapping[str, str] = MappingProxyType({})
    ) -> subprocess.Popen[bytes]:
        """One more worker, with a cache of its own."""
        n = len(self.workers)
        local = self.folder / f"local-{n}"
        words = ["--nthreads", str(threads), "--no-nanny", "--local-directory", str(local)]
        more = {"XDG_CACHE_HOME": str(self.folder / f"cache-{n}"), **more}
        made = self.start("worker", "--scheduler-file", self.address, *words, **more)
        self.workers.append(made)
        log = self.folder / f"worker-{n}.log"
        self._until(lambda: b"Registered to" in log.read_bytes())
        return made

    def _until(self, there: Callable[[], bool]) -> None:
        end = time.monotonic() + START_S
        while not there():
            assert time.monotonic() < end, [p.read_text() for p in self.folder.glob("*.log")]
            time.sleep(0.1)

    def stop(self) -> None:
        for process in (*self.workers, self.scheduler):
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in (*self.workers, self.scheduler):
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextmanager
def cluster(folder: Path, workers: int = 0, threads: int = 1) -> Iterator[Processes]:
    """A scheduler with some workers, ended afterwards."""
    made = Processes(folder)
    try:
        for _ in range(workers):
            made.worker(threads)
        yield made
    finally:
        made.stop()
