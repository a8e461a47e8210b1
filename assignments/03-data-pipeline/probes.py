"""What the checks of this assignment do beside the program: read its datasets, batches and loaders.

Nothing here knows what is right: images and labels come with the request, and what a program made
of them goes out as it is. An image carries its number in its first row (see `numbers`), so that it
is known again in whatever part of the data it turns up.
"""

from __future__ import annotations

import itertools
import os
import random
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from ..plain import finite
from ..program import Program
from .folder import secret_root, seed_from_outside

Result = tuple[dict[str, Any], dict[str, Tensor]]
BATCHES_CAP = 2_000


def _disturb(seed: int) -> None:
    """Set the generators that everybody shares, and draw from them."""
    seed_from_outside(seed)
    random.random()  # noqa: S311
    np.random.rand(7)  # noqa: NPY002 - the one that the program may draw from
    torch.rand(5)


# -- task 1 ----------------------------------------------------------------------------------------


def shades(values: list[int]) -> Tensor:
    """Images of one shade each: (N, 28, 28) uint8."""
    return torch.tensor(values, dtype=torch.uint8)[:, None, None].repeat(1, 28, 28)


def item(dataset: Any, i: int) -> dict[str, Any]:
    """Item i of a dataset, in a few words."""
    image, name = dataset[i]
    return {
        "shape": list(image.shape),
        "type": str(image.dtype).removeprefix("torch."),
        "lowest": float(image.min()),
        "highest": float(image.max()),
        "label": int(name),
    }


def whole_item(dataset: Any, i: int) -> dict[str, Any]:
    """Item i of a dataset: its image, its type and its label."""
    image, name = dataset[i]
    kind = "a tensor" if isinstance(image, Tensor) else f"a {type(image).__name__}"
    return {"image": image, "of": kind, "type": str(image.dtype)[-7:], "label": int(name)}


def walked(dataset: Any, cap: int) -> list[int]:
    """The labels that a `for` over a dataset meets, at most `cap` of them."""
    return [int(label) for _, label in itertools.islice(iter(dataset), cap)]


def mirror(image: Tensor) -> Tensor:
    """A transform: left is right, and twice as bright."""
    return 2 * image.flip(-1)


def transforms_read(program: Program, args: dict[str, Any], tensors: dict[str, Tensor]) -> Result:
    """Each item of `args["items"]` read twice, under a transform that draws random numbers and
    under one that writes into what it is given; and the arrays afterwards.

    Returns `noisy` and `spoilt`, (items, 2, 1, 28, 28) each, and `images`, which were given.
    """
    make = program.get("ArrayDataset")

    def noise(image: Tensor) -> Tensor:
        return image + torch.rand(image.shape)

    def spoil(image: Tensor) -> Tensor:
        before = image.clone()
        image.zero_()
        return before

    out: dict[str, Tensor] = {}
    for name, transform in (("noisy", noise), ("spoilt", spoil)):
        torch.manual_seed(args["seed"])
        images = tensors["images"].clone()
        dataset = make(images, tensors["labels"].clone(), transform)
        reads = [torch.stack([_image(dataset, i), _image(dataset, i)]) for i in args["items"]]
        out[name] = torch.stack(reads)
        out["images"] = images
    return {}, out


def _image(dataset: Any, i: int) -> Tensor:
    image = torch.as_tensor(dataset[i][0]).detach().float().clone()
    if image.numel() != 28 * 28:
        raise ValueError(f"item {i} is an image of shape {tuple(image.shape)}, not (1, 28, 28)")
    return image.reshape(1, 28, 28)


# -- task 2 ----------------------------------------------------------------------------------------


def _taken(made: Any, most: int) -> tuple[list[int], list[int], Tensor, Tensor]:
    """The sizes of the batches that come, by X and by y, and all rows of both below each other."""
    come = itertools.islice(iter(made), most)
    parts = [(torch.as_tensor(a), torch.as_tensor(b)) for a, b in come]
    if any(not part.ndim for pair in parts for part in pair):
        raise ValueError("a batch is a single number, and not rows of X or y")
    if not parts:
        return [], [], torch.zeros(0), torch.zeros(0)
    xs, ys = zip(*parts, strict=True)
    return [len(a) for a in xs], [len(b) for b in ys], torch.cat(xs), torch.cat(ys)


def passes(program: Program, args: dict[str, Any], tensors: dict[str, Tensor]) -> Result:
    """One pass of `batches` over each of some data: args `passes`, of each `size`, `shuffle`,
    `seed` and `numpy`; tensors `<k>.x` and `<k>.y`.

    Returns `passes`, of each the `sizes` of its batches by X and `labels` by y, and `touched`, what
    of X and y is another afterwards; tensors `<k>.x` and `<k>.y`, the rows in the order they came.
    """
    batches = program.get("batches")
    told, out = [], {}
    for k, one in enumerate(args["passes"]):
        given = {name: tensors[f"{k}.{name}"].clone() for name in "xy"}
        x, y = (v.numpy() if one["numpy"] else v for v in given.values())
        rng = np.random.default_rng(one["seed"])
        made = batches(x, y, one["size"], one["shuffle"], rng)
        sizes, labels, xs, ys = _taken(made, 4 * len(x) + 4)
        out[f"{k}.x"], out[f"{k}.y"] = xs.double(), ys.long()
        changed = [n for n, v in given.items() if not torch.equal(v, tensors[f"{k}.{n}"])]
        touched = ["X" if n == "x" else n for n in changed]
        told.append({"sizes": sizes, "labels": labels, "touched": touched})
    return {"passes": told}, out


def orders(program: Program, args: dict[str, Any], tensors: dict[str, Tensor]) -> Result:
    """The orders of several passes over `args["n"]` samples in batches of `args["size"]`.

    Returns tensors `first` and `next` (two passes over one rng), `again` (an rng of the same seed,
    the shared generators set otherwise), `still` (without shuffling); and `drawn`, whether the
    last of these has moved its rng.
    """
    batches = program.get("batches")
    x = torch.arange(args["n"])

    def one(rng: np.random.Generator, *, shuffle: bool = True) -> Tensor:
        made = batches(x.clone(), x.clone(), args["size"], shuffle, rng)
        return _taken(made, 4 * args["n"])[2].long()

    _disturb(args["outside"][0])
    rng = np.random.default_rng(args["seed"])
    out = {"first": one(rng), "next": one(rng)}
    _disturb(args["outside"][1])
    out["again"] = one(np.random.default_rng(args["seed"]))
    rng = np.random.default_rng(args["seed"])
    before = str(rng.bit_generator.state)
    out["still"] = one(rng, shuffle=False)
    return {"drawn": str(rng.bit_generator.state) != before}, out


class Counting(torch.Tensor):
    """A tensor that counts what is done with it, and with whatever is made of it."""

    done = 0

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        Counting.done += 1
        return super().__torch_function__(func, types, args, kwargs or {})


def lazily(program: Program, args: dict[str, Any], tensors: dict[str, Tensor]) -> Result:
    """How much is done with X before the first batch comes, and until the last has come.

    Returns `kind`, what `batches` returned, and whether it is `listed`; `batches`, how many there
    were; `first` and `end`.
    """
    batches = program.get("batches")
    x = torch.arange(2.0 * args["n"]).reshape(args["n"], 2).as_subclass(Counting)
    y = torch.arange(args["n"])
    Counting.done = 0
    made = batches(x, y, args["size"], args["shuffle"], np.random.default_rng(args["seed"]))
    coming = iter(made)
    next(coming, None)
    first = Counting.done
    count = 1 + sum(1 for _ in itertools.islice(coming, BATCHES_CAP))
    told = {"kind": type(made).__name__[:80], "listed": isinstance(made, (list, tuple))}
    return {**told, "batches": count, "first": first, "end": Counting.done}, {}


# -- task 3 ----------------------------------------------------------------------------------------


def many(count: int, side: int, seed: int) -> Tensor:
    """Images of unlike brightness: (count, side, side) uint8."""
    rng = np.random.default_rng(seed)
    top = rng.integers(20, 256, (count, 1, 1))
    return torch.from_numpy((rng.random((count, side, side)) * top).astype(np.uint8))


# -- task 4 ----------------------------------------------------------------------------------------


class Items(Dataset[tuple[Tensor, int]]):
    """Samples that are their own numbers, in ten classes that lie one after the other."""

    def __init__(self, count: int) -> None:
        self.count = count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, i: int) -> tuple[Tensor, int]:
        if not -self.count <= i < self.count:
            raise IndexError(i)
        return torch.tensor(int(i) % self.count), int(i) % self.count * 10 // self.count


def splits(program: Program, args: dict[str, Any], tensors: dict[str, Tensor]) -> Result:
    """Splits of `args["n"]` samples: of each of `args["splits"]`, {"sizes", "seed", "outside"}, the
    numbers of the samples in each part (`parts`), or the classes of the error that came (`raised`).
    """
    split = program.get("split")
    told: list[dict[str, Any]] = []
    for one in args["splits"]:
        _disturb(one["outside"])
        try:
            parts = list(split(Items(args["n"]), *one["sizes"], one["seed"]))
        except NotImplementedError:
            raise
        except Exception as e:
            if not one.get("refused"):
                raise
            told.append({"raised": [k.__name__[:80] for k in type(e).__mro__]})
            continue
        told.append({"parts": [[int(p[i][0]) for i in range(len(p))] for p in parts]})
    return {"splits": told}, {}


# -- task 5 ----------------------------------------------------------------------------------------

NAMES = ("train", "val", "test")
BITS = 12


def numbers(rows: Tensor) -> list[int]:
    """The numbers of images by their first rows, (N, 28): the first pixel is black, the second
    white, and the next twelve are the number in binary; -1 where that cannot be read.
    """
    black, white = rows[:, :1], rows[:, 1:2]
    share = (rows[:, 2 : 2 + BITS] - black) / (white - black)
    bits = share > 0.5
    clear = ((share - bits.float()).abs() < 0.05).all(1)
    found = (bits.long() << torch.arange(BITS)).sum(1)
    return torch.where(clear, found, -1).tolist()


def _three(made: Any) -> dict[str, Any]:
    train, val, test = made
    return {"train": train, "val": val, "test": test}


def _pass(loader: Any, *, whole: bool = False) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """One pass over a loader: what its batches look like; `rows`, the first row of each image (or
    with `whole` all of it), and `labels`.
    """
    first: dict[str, Any] = {}
    sizes, images, labels = [], [], []
    for batch in itertools.islice(iter(loader), BATCHES_CAP):
        x, y = batch[0], batch[1]
        if not first:
            first = {"images": list(x.shape)[:8], "labels": list(y.shape)[:8]}
            first |= {"image_type": str(x.dtype)[6:], "label_type": str(y.dtype)[6:]}
        sizes.append(len(y))
        if x.ndim < 3 or x.shape[-2:] != (28, 28) or x.numel() != len(x) * 784:
            raise ValueError(f"a batch of images is {tuple(x.shape)}, not (B, 1, 28, 28)")
        flat = x.detach().float().reshape(len(x), 28, 28)
        images.append(flat.clone() if whole else flat[:, 0].clone())
        labels.append(y.detach().reshape(-1).long().clone())
    if not sizes:
        return {"sizes": [], **first}, {}
    return {"sizes": sizes, **first}, {"rows": torch.cat(images), "labels": torch.cat(labels)}


class _Log:
    """Passes over loaders, as they go out."""

    def __init__(self) -> None:
        self.told: dict[str, Any] = {}
        self.out: dict[str, Tensor] = {}

    def take(self, name: str, loader: Any, *, whole: bool = False) -> dict[str, Tensor]:
        self.told[name], found = _pass(loader, whole=whole)
        self.out |= {f"{name}.{k}": v for k, v in found.items()}
        return found


def loaders(program: Program, args: dict[str, Any], tensors: dict[str, Tensor]) -> Result:
    """Three calls of `make_loaders`, two with `args["seed"]` and one with `args["other"]`; before
    each, and between a call and its passes, the shared generators are set otherwise.

    Returns of each pass what `_pass` says: `a.train.1`, `a.train.2`, `a.val.1`, `a.val.2`,
    `a.test.1`, `a.test.2`, `b.train.1`, `b.train.2`, `b.val.1`, `c.train.1`, `c.val.1`.
    """
    make = program.get("make_loaders")
    log = _Log()
    outside = iter(args["outside"])
    wanted = {
        "a": [("train", 1), ("train", 2), ("val", 1), ("val", 2), ("test", 1), ("test", 2)],
        "b": [("train", 1), ("train", 2), ("val", 1)],
        "c": [("train", 1), ("val", 1)],
    }
    with secret_root("FashionMNIST", tensors):
        root = os.path.abspath("data")
        for name, looks in wanted.items():
            _disturb(next(outside))
            made = _three(make(root, args["batch"], args["other" if name == "c" else "seed"]))
            _disturb(next(outside))
            for loader, k in looks:
                log.take(f"{name}.{loader}.{k}", made[loader])
    return log.told, log.out


def statistics(program: Program, args: dict[str, Any], tensors: dict[str, Tensor]) -> Result:
    """The loaders of two roots: one as it is, and one in which the images that were for validation
    in the first, and all for the test, are white below their first row.

    Returns the passes `old.<name>` and `new.<name>`, those of the second whole; `white`, the
    numbers of the images that were whitened; `own`, what the program's own `channel_stats` says of
    the training part of the second, [mean, std] or None.
    """
    make = program.get("make_loaders")
    log = _Log()
    with secret_root("FashionMNIST", tensors):
        made = _three(make(os.path.abspath("data"), args["batch"], args["seed"]))
        found = {name: log.take(f"old.{name}", made[name]) for name in NAMES}
    white = {n for n in numbers(found["val"]["rows"]) if n >= 0} if found["val"] else set()
    changed = {k: v.clone() for k, v in tensors.items()}
    for part in ("train", "test"):
        images = changed[f"{part}_images"]
        for i, n in enumerate(numbers(images[:, 0].float())):
            if part == "test" or n in white:
                images[i, 1:] = 255
    with secret_root("FashionMNIST", changed):
        made = _three(make(os.path.abspath("data"), args["batch"], args["seed"]))
        found = {name: log.take(f"new.{name}", made[name], whole=True) for name in NAMES}
    log.told["white"] = sorted(white)
    log.told["own"] = _own(program, changed, found["train"])
    return log.told, log.out


def _own(
    program: Program, tensors: dict[str, Tensor], found: dict[str, Tensor]
) -> list[float | str] | None:
    """What the program's own `channel_stats` says of the images that one pass showed."""
    function = program.namespace.get("channel_stats")
    if not callable(function) or not found:
        return None
    shown = set(numbers(found["rows"][:, 0]))
    there = numbers(tensors["train_images"][:, 0].float())
    chosen = [i for i, n in enumerate(there) if n in shown]
    try:
        mean, std = function(tensors["train_images"][chosen])
        return [finite(float(mean)), finite(float(std))]
    except Exception:  # it is judged elsewhere
        return None


class _Mark:
    """An augmentation that is seen: a block in the last corner of the image becomes bright, each
    time another shade. It notes what it is given.
    """

    def __init__(self) -> None:
        self.calls = 0
        self.low, self.high = float("inf"), float("-inf")
        self.shapes: set[tuple[int, ...]] = set()

    def __call__(self, image: Tensor) -> Tensor:
        self.calls += 1
        self.low = min(self.low, float(image.min()))
        self.high = max(self.high, float(image.max()))
        self.shapes.add(tuple(image.shape))
        changed = image.clone()
        changed[..., -4:, -4:] = 0.6 + 0.4 * torch.rand(())
        return changed


def augmented(program: Program, args: dict[str, Any], tensors: dict[str, Tensor]) -> Result:
    """The loaders of a call with an `augment` that marks images: the passes `train.1`, `train.2`,
    `val` and `test`, whole; `calls`, `low`, `high` and `shapes` of what it was given.
    """
    make = program.get("make_loaders")
    log, mark = _Log(), _Mark()
    with secret_root("FashionMNIST", tensors):
        _disturb(args["outside"][0])
        made = _three(make(os.path.abspath("data"), args["batch"], args["seed"], augment=mark))
        _disturb(args["outside"][1])
        for name in ("train.1", "train.2", "val", "test"):
            found = log.take(name, made[name.partition(".")[0]], whole=True)
            if found:
                whole = log.out[f"{name}.rows"]
                log.out[f"{name}.marks"] = whole[:, -4:, -4:].reshape(len(whole), 16)
                log.out[f"{name}.rows"] = whole[:, 0].clone()
    shapes = [list(s) for s in sorted(mark.shapes)[:4]]
    log.told |= {"calls": mark.calls, "shapes": shapes}
    log.told |= {"low": finite(mark.low), "high": finite(mark.high)}
    return log.told, log.out


# -- task 6 ----------------------------------------------------------------------------------------


def album(images: Tensor, labels: Tensor) -> list[tuple[Tensor, int]]:
    """A dataset of images, (N, 28, 28), under their labels."""
    return [(image.float()[None], int(label)) for image, label in zip(images, labels, strict=True)]
