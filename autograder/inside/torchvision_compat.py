"""torchvision beside a CPU build of torch: declare the two operators its import asks for.

The registry's torchvision wheel is linked against CUDA. Beside a CPU-only torch its C++
library does not load, and `import torchvision` fails with `operator torchvision::nms does
not exist`, because it registers fake kernels for operators nobody declared. Declaring the
two schemas first is enough for data sets, transforms and models; the compiled operators
themselves (`nms`, `io.read_image`) stay absent. Where torch and torchvision match, the
operators exist and nothing is declared.

A box declares them in its template. Every other process of an environment (a notebook's kernel,
pytest, a student's script) finds them declared by a hook that Python sets up as it starts:

    python -m autograder.inside.torchvision_compat     puts the hook into this environment

That is two files in site-packages, a copy of this one and a `.pth` line that calls `hook`. The
hook costs a process nothing until torchvision is imported; torch is not imported before.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False  # `typing` is not imported for it: this file runs as every Python starts
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from importlib.machinery import ModuleSpec
    from pathlib import Path
    from types import ModuleType

COPY = "_five_beats_torchvision"
"""The module, and the `.pth` file, that `install` leaves in site-packages."""
SCHEMAS = {
    "torchvision::nms": "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "torchvision::qnms": "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
}


def extension_loads() -> bool:
    """Whether torchvision's own C++ library can be loaded beside this torch."""
    import importlib.util
    from pathlib import Path

    import torch

    spec = importlib.util.find_spec("torchvision")
    if spec is None or spec.origin is None:
        return True  # nothing to mend: the import will say that torchvision is missing
    library = next(Path(spec.origin).parent.glob("_C*"), None)
    if library is None:
        return False
    try:
        torch.ops.load_library(str(library))  # type: ignore[no-untyped-call]
    except OSError:
        return False
    return True


def declare() -> bool:
    """Make `import torchvision` work beside any torch; True where schemas had to be declared."""
    import torch

    if hasattr(sys.modules.get("torchvision"), "datasets") or extension_loads():
        return False
    for name, schema in SCHEMAS.items():
        try:
            torch.library.define(name, schema)
        except RuntimeError as e:  # declared already, by an earlier call
            if "already" not in str(e) and "multiple" not in str(e):
                raise
    return True


class _Hook:
    """A finder that finds torchvision as the others do, and has `declare` called before its code
    runs. To look for torchvision without importing it imports nothing.
    """

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name != "torchvision":
            return None
        for finder in [f for f in sys.meta_path if f is not self]:
            spec = finder.find_spec(name, path, target)
            if spec is not None and spec.loader is not None:
                return _declaring(spec, spec.loader.exec_module)
        return None


def _declaring(spec: ModuleSpec, run: Callable[[ModuleType], None]) -> ModuleSpec:
    """`spec`, whose module is run by `run`, with `declare` before that."""

    def declared(module: ModuleType) -> None:
        declare()
        run(module)

    spec.loader.exec_module = declared  # type: ignore[method-assign, union-attr]
    return spec


def hook() -> None:
    """From now on `import torchvision` works in this process, beside any torch."""
    if not any(type(f).__qualname__ == _Hook.__qualname__ for f in sys.meta_path):
        sys.meta_path.insert(0, _Hook())


def install(site: Path | None = None) -> Path:
    """Put the hook into `site`, by default the site-packages of this Python, for every process that
    starts with it; returns the `.pth` file. Raises OSError where that cannot be written.
    """
    import os
    import py_compile
    import sysconfig
    from pathlib import Path

    site = site or Path(sysconfig.get_path("purelib"))
    code, line = site / f"{COPY}.py", site / f"{COPY}.pth"
    for path, text in (
        (code, Path(__file__).read_bytes()),
        (line, f"import {COPY}; {COPY}.hook()\n".encode()),
    ):
        part = path.with_suffix(".part")
        part.write_bytes(text)
        os.replace(part, path)  # another Python may be starting
    py_compile.compile(str(code), doraise=True)
    return line


if __name__ == "__main__":
    print(install())
