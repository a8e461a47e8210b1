"""torchvision beside a CPU build of torch: declare the two operators its import asks for.

The registry's torchvision wheel is linked against CUDA. Beside a CPU-only torch its C++
library does not load, and `import torchvision` fails with `operator torchvision::nms does
not exist`, because it registers fake kernels for operators nobody declared. Declaring the
two schemas first is enough for data sets, transforms and models; the compiled operators
themselves (`nms`, `io.read_image`) stay absent. Where torch and torchvision match, the
operators exist and nothing is declared.

As a program, `python -m autograder.inside.torchvision_compat SCRIPT [ARGS]` runs a script
under it.
"""

from __future__ import annotations

import importlib.util
import runpy
import sys
from pathlib import Path

SCHEMAS = {
    "torchvision::nms": "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "torchvision::qnms": "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
}


def extension_loads() -> bool:
    """Whether torchvision's own C++ library can be loaded beside this torch."""
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

    if "torchvision" in sys.modules or extension_loads():
        return False
    for name, schema in SCHEMAS.items():
        try:
            torch.library.define(name, schema)
        except RuntimeError as e:  # declared already, by an earlier call
            if "already" not in str(e) and "multiple" not in str(e):
                raise
    return True


if __name__ == "__main__":
    declare()
    sys.argv = sys.argv[1:]
    sys.path[0] = str(Path(sys.argv[0]).parent)
    runpy.run_path(sys.argv[0], run_name="__main__")
