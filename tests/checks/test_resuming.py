"""`save_checkpoint` and `load_checkpoint` in many styles: resuming, crashing, refusing."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from tests.harness import own_module
from tests.lab_08 import ID, lost, report, results, task

resuming = own_module(ID, "resuming")

CHECKS = task("checkpoint_")

PLAIN = """
import copy, json, pickle, random, shutil, tempfile
from pathlib import Path

def save_checkpoint(path, model, optimizer, scheduler, epoch):
    state = {
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "scheduler": scheduler.state_dict(),
        "random": torch.get_rng_state(),
        "epoch": epoch,
    }
    torch.save(state, path + ".new")
    os.replace(path + ".new", path)

def load_checkpoint(path, model, optimizer, scheduler):
    state = torch.load(path, weights_only=True)
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    scheduler.load_state_dict(state["scheduler"])
    torch.set_rng_state(state["random"])
    return state["epoch"]
"""
SAVE = '    torch.save(state, path + ".new")\n    os.replace(path + ".new", path)\n'
LOAD = "    state = torch.load(path, weights_only=True)\n"
UNSAFE_LOAD = "    state = torch.load(path, weights_only=False)\n"
RANDOM = '    torch.set_rng_state(state["random"])\n'
EPOCH = '    return state["epoch"]\n'
MODEL = '    model.load_state_dict(state["model"])\n'
Change = tuple[tuple[str, str], ...]
Lost = dict[str, tuple[str, ...]]
RIGHT: dict[str, Change] = {
    "plain": (),
    "a temporary file": (
        (SAVE, ("    with tempfile.NamedTemporaryFile(dir=os.path.dirname(os.path.abspath(path)),"
               " delete=False) as f:\n        torch.save(state, f)\n        f.flush()\n"
               "        os.fsync(f.fileno())\n    os.replace(f.name, path)\n")),
    ),
    "by pathlib": (
        (SAVE, ("    p = Path(path)\n    new = p.with_suffix('.tmp')\n    torch.save(state, new)\n"
               "    new.rename(p)\n")),
    ),
    "by shutil.move": ((SAVE, SAVE.replace("os.replace", "shutil.move")),),
    "all random generators": (
        ('"random": torch.get_rng_state()',
         '"random": torch.get_rng_state(), "python": random.getstate()'),
        (EPOCH, '    random.setstate(state["python"])\n' + EPOCH),
    ),
    "the generator's state before all others": (
        ("    state = {\n", '    state = {\n        "r": torch.get_rng_state(),\n'),
    ),
    "a backup that is fallen back on": (
        (SAVE, ("    if os.path.exists(path):\n        shutil.copy(path, path + '.bak')\n"
               "    torch.save(state, path)\n")),
        (LOAD, ("    try:\n        state = torch.load(path, weights_only=True)\n"
               "    except Exception:\n"
               "        state = torch.load(path + '.bak', weights_only=True)\n")),
    ),
    "the old one moved aside": (
        (SAVE, ("    torch.save(state, path + '.new')\n    if os.path.exists(path):\n"
               "        os.rename(path, path + '.bak')\n    os.rename(path + '.new', path)\n")),
        (LOAD, "    if not os.path.exists(path):\n        path += '.bak'\n" + LOAD),
    ),
    "numpy's state allowed by name": (
        ('"epoch": epoch,', '"epoch": epoch, "numpy": np.random.get_state()[1],'),
        ("import copy", "import copy, numpy as np"),
        (LOAD, ("    from numpy._core.multiarray import _reconstruct\n"
               "    with torch.serialization.safe_globals([_reconstruct, np.ndarray, np.dtype,"
               " np.dtypes.UInt32DType]):\n"
               "        state = torch.load(path, weights_only=True)\n")),
    ),
    "the default of torch.load": ((LOAD, "    state = torch.load(path)\n"),),
    "looked into first": (
        (LOAD, ("    wants = torch.serialization.get_unsafe_globals_in_checkpoint(path)\n"
               "    if wants:\n        raise ValueError(f'refused: {wants}')\n"
               "    state = torch.load(path, weights_only=False)\n")),
    ),
    "safetensors and json": (
        (SAVE, ""),
        (PLAIN[PLAIN.index("    state = {"):PLAIN.index("    torch.save(")],
         ("    from safetensors.torch import save_file\n"
         "    tensors = {'m.' + k: v for k, v in model.state_dict().items()}\n"
         "    o = optimizer.state_dict()\n"
         "    for i, s in o['state'].items():\n"
         "        tensors[f'o.{i}'] = s['momentum_buffer']\n"
         "    tensors['random'] = torch.get_rng_state()\n"
         "    told = {'groups': json.dumps(o['param_groups']),"
         " 'scheduler': json.dumps(scheduler.state_dict()), 'epoch': str(epoch)}\n"
         "    save_file(tensors, path + '.new', metadata=told)\n"
         "    os.replace(path + '.new', path)\n")),
        (PLAIN[PLAIN.index(LOAD):].rstrip(),
         ("    from safetensors import safe_open\n"
         "    with safe_open(path, 'pt') as f:\n"
         "        told = f.metadata()\n"
         "        t = {k: f.get_tensor(k) for k in f.keys()}\n"
         "    model.load_state_dict({k[2:]: v for k, v in t.items() if k.startswith('m.')})\n"
         "    state = {int(k[2:]): {'momentum_buffer': v} for k, v in t.items() if k[:2] == 'o.'}\n"
         "    optimizer.load_state_dict({'state': state,"
         " 'param_groups': json.loads(told['groups'])})\n"
         "    scheduler.load_state_dict(json.loads(told['scheduler']))\n"
         "    torch.set_rng_state(t['random'])\n"
         "    return int(told['epoch'])\n")),
    ),
    "a tuple": (
        ('return state["epoch"]', 'return torch.tensor(state["epoch"])'),
    ),
}  # fmt: skip
NO_STATE: Lost = {"checkpoint_state": ("resume_without_state",)}
CRASH: Lost = {"checkpoint_crash": ("wrong_checkpoint",)}
UNSAFE: Lost = {"checkpoint_refuses": ("unsafe_load",)}
WRONG: dict[str, tuple[Change, dict[str, tuple[str, ...]]]] = {
    "no optimizer": ((('    optimizer.load_state_dict(state["optimizer"])\n', ""),), NO_STATE),
    "no scheduler": ((('    scheduler.load_state_dict(state["scheduler"])\n', ""),), NO_STATE),
    "no random": ((('    torch.set_rng_state(state["random"])\n', ""),), NO_STATE),
    "a copy of the optimizer": (
        (("    optimizer.load_state_dict", ("    optimizer = copy.deepcopy(optimizer)\n"
          "    optimizer.load_state_dict")),),
        NO_STATE,
    ),
    "the weights alone": (
        (('        "optimizer": optimizer.state_dict(),\n', ""),
         ('    optimizer.load_state_dict(state["optimizer"])\n', ""),
         ('    scheduler.load_state_dict(state["scheduler"])\n', ""),
         ('    torch.set_rng_state(state["random"])\n', "")),
        NO_STATE,
    ),
    "another seed": (((RANDOM, "    torch.manual_seed(0)\n"),),
                     NO_STATE),
    "in half precision": (
        (('model.state_dict(),', '{k: v.half() for k, v in model.state_dict().items()},'),),
        {"checkpoint_model": ("wrong_checkpoint",)},
    ),
    "no weights": (
        ((MODEL, ""),),
        {"checkpoint_model": ("wrong_checkpoint",), "checkpoint_crash": ()},
    ),
    "weights of a copy": (
        ((MODEL, "    copy.deepcopy(model).load_state_dict(state['model'])\n"),),
        {"checkpoint_model": ("wrong_checkpoint",), "checkpoint_crash": ()},
    ),
    "no buffers": (
        (("model.state_dict()", "dict(model.named_parameters())"),
         (MODEL, "    model.load_state_dict(state['model'], strict=False)\n")),
        {"checkpoint_model": ("wrong_checkpoint",)},
    ),
    "one group of parameters": (
        (('    optimizer.load_state_dict(state["optimizer"])\n',
          ("    told = optimizer.state_dict()\n    told['state'] = state['optimizer']['state']\n"
          "    told['param_groups'][0] = state['optimizer']['param_groups'][0]\n"
          "    optimizer.load_state_dict(told)\n")),),
        NO_STATE,
    ),
    "written in place": (((SAVE, "    torch.save(state, path)\n"),), CRASH),
    "written in place by Python": (
        ((SAVE, "    with open(path, 'wb') as f:\n        torch.save(state, f)\n"),), CRASH),
    "copied over": (((SAVE, SAVE.replace("os.replace", "shutil.copy")),), CRASH),
    "removed, then renamed": (
        ((SAVE, ("    torch.save(state, path + '.new')\n    if os.path.exists(path):\n"
                "        os.remove(path)\n    os.rename(path + '.new', path)\n")),), CRASH),
    "moved aside, and lost": (
        ((SAVE, ("    torch.save(state, path + '.new')\n    if os.path.exists(path):\n"
                "        os.rename(path, path + '.bak')\n    os.rename(path + '.new', path)\n")),),
        CRASH,
    ),
    "cleaned up in a finally": (
        ((SAVE, ("    shutil.copy(path, path + '.bak') if os.path.exists(path) else None\n"
                "    try:\n        torch.save(state, path)\n    except Exception:\n"
                "        shutil.copy(path + '.bak', path)\n        raise\n")),), CRASH),
    "runs code": (((LOAD, UNSAFE_LOAD),), UNSAFE),
    "runs code where the safe way fails": (
        ((LOAD, ("    try:\n        state = torch.load(path, weights_only=True)\n"
                "    except Exception:\n"
                "        state = torch.load(path, weights_only=False)\n")),), UNSAFE),
    "plain pickle": (
        ((SAVE, ("    with open(path + '.new', 'wb') as f:\n        pickle.dump(state, f)\n"
                "    os.replace(path + '.new', path)\n")),
         (LOAD, "    with open(path, 'rb') as f:\n        state = pickle.load(f)\n")),
        UNSAFE,
    ),
    **{
        f"a pickle that may hold {parts}": (
            ((SAVE, ("    with open(path + '.new', 'wb') as f:\n        pickle.dump(state, f)\n"
                    "    os.replace(path + '.new', path)\n")),
             (LOAD, f"""
    class Reader(pickle.Unpickler):
        def find_class(self, module, name):
            if module.split(".")[0] not in {parts}:
                raise pickle.UnpicklingError(name)
            return super().find_class(module, name)

    with open(path, "rb") as f:
        state = Reader(f).load()
""")),
            UNSAFE,
        )
        for parts in (("torch", "collections", "builtins"), ("torch", "collections"),
                      ("torch", "collections", "_io"), ("torch", "collections", "posix"))
    },
    "swallows the refusal": (
        ((LOAD, ("    try:\n        state = torch.load(path, weights_only=True)\n"
                "    except Exception:\n        return 0\n")),),
        {"checkpoint_refuses": ("wrong_value",)},
    ),
    "the model itself": (
        (("model.state_dict()", "model"), (LOAD, UNSAFE_LOAD),
         (MODEL, "    model.load_state_dict(state['model'].state_dict())\n")),
        {"checkpoint_plain": ("pickles_whole_model",), **UNSAFE},
    ),
    "the optimizer itself": (
        (("optimizer.state_dict()", "optimizer"),
         (LOAD, UNSAFE_LOAD),
         ('optimizer.load_state_dict(state["optimizer"])',
          'optimizer.load_state_dict(state["optimizer"].state_dict())')),
        {"checkpoint_plain": ("wrong_checkpoint",), **UNSAFE},
    ),
    "no epoch": ((('    return state["epoch"]\n', ""),), {"checkpoint_resumes": ("wrong_value",)}),
    "the next epoch": ((('state["epoch"]', 'state["epoch"] + 1'),),
                       {"checkpoint_resumes": ("wrong_value",)}),
    "another path": (((SAVE, "    torch.save(state, 'last.pt')\n"),
                      (LOAD, "    state = torch.load('last.pt', weights_only=True)\n")),
                     {"checkpoint_resumes": ("wrong_checkpoint",), "checkpoint_plain": (), **CRASH,
                      "checkpoint_refuses": ("wrong_value",)}),
    "kept in memory": (
        ((SAVE, "    globals().update(kept=state)\n    open(path, 'w').close()\n"),
         (LOAD, "    state = kept\n")),
        {"checkpoint_resumes": ("wrong_checkpoint",), "checkpoint_model": (),
         "checkpoint_plain": (), "checkpoint_state": (), "checkpoint_crash": (),
         "checkpoint_refuses": ("wrong_value",)},
    ),
}  # fmt: skip


def changed(changes: Change) -> str:
    source = PLAIN
    for old, new in changes:
        assert old in source, old
        source = source.replace(old, new)
    return source


@pytest.mark.parametrize("style", RIGHT)
def test_a_correct_style_loses_nothing(style: str) -> None:
    source = changed(RIGHT[style])
    assert not lost(source, *CHECKS), report(source, *CHECKS)


@pytest.mark.parametrize("case", WRONG)
def test_bugs_are_named(case: str) -> None:
    changes, expected = WRONG[case]
    source = changed(changes)
    assert lost(source, *CHECKS) == expected, report(source, *CHECKS)


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("no optimizer", "if the optimizer (its momenta and its rate) did not come back"),
        ("no scheduler", "if the schedule did not come back"),
        ("no random", "if the random generator did not come back"),
        ("the weights alone", "and its rate) and the schedule and the random generator did not"),
    ],
)
def test_the_missing_part_is_named(case: str, words: str) -> None:
    message = results(changed(WRONG[case][0]), *CHECKS)["checkpoint_state"].message
    assert words in message


def test_the_moment_of_the_crash_is_told() -> None:
    message = results(changed(WRONG["written in place"][0]), *CHECKS)["checkpoint_crash"].message
    assert "after the process died in the middle of writing, load_checkpoint raised" in message
    message = results(changed(WRONG["copied over"][0]), *CHECKS)["checkpoint_crash"].message
    assert "at the moment the old file was opened for writing" in message


def test_an_error_is_told_with_its_line() -> None:
    found = results(changed(((SAVE, "    undefined\n"),)), *CHECKS)
    assert found["checkpoint_resumes"].status == "error"
    assert "save_checkpoint raised NameError at line" in found["checkpoint_resumes"].message
    found = results(changed(((LOAD, LOAD + "    undefined\n"),)), *CHECKS)
    assert "load_checkpoint, in a new process, raised NameError" in (
        found["checkpoint_resumes"].message
    )
    assert found["checkpoint_refuses"].status == "not_checked"


def test_functions_that_are_not_written_earn_nothing() -> None:
    stub = "def {}(*args):\n    raise NotImplementedError\n"
    for name in ("save_checkpoint", "load_checkpoint"):
        found = results(PLAIN + stub.format(name), *CHECKS)
        assert sum(r.score for r in found.values()) <= 0.5, name
        assert found["checkpoint_resumes"].score == 0
        assert found["checkpoint_resumes"].message.startswith("not written yet: the stub")


def test_a_missing_function_is_named() -> None:
    found = lost(PLAIN + "del load_checkpoint\n", *CHECKS)
    assert found["checkpoint_resumes"] == ("missing_name",)


@pytest.mark.parametrize("seed", range(5))
def test_each_set_of_missing_parts_ends_elsewhere(seed: int) -> None:
    start, known = resuming.ends((seed, 7 * seed + 1, 9 * seed + 2))
    length = np.linalg.norm(known[tuple(resuming.PARTS)] - start)
    gaps = [np.linalg.norm(a - b) for a, b in itertools.combinations(known.values(), 2)]
    assert len(known) == 8
    assert min(gaps) > 30 * resuming.TOLERANCE * length
