"""The public tests of 03-data-pipeline: run `pytest` in this folder, beside your data_pipeline.py.

Generated from the handout; the same tests stand in the notebook. The hidden tests of the
grader look closer.
"""

import functools
import importlib.util
import os
import sys
import traceback
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
stopped = ""


@pytest.fixture(scope="module", autouse=True)
def your_work():
    """Run your program once, and give its names to the tests below.

    Where it stops at a task that is not written yet, what it defined until then is tested.
    """
    global stopped
    before = os.getcwd()
    os.chdir(HERE)  # data and files are looked for beside the program
    spec = importlib.util.spec_from_file_location("data_pipeline", HERE / "data_pipeline.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["data_pipeline"] = module
    try:
        spec.loader.exec_module(module)
    except NotImplementedError as e:
        mine = [f for f in traceback.extract_tb(e.__traceback__) if f.filename == spec.origin]
        stopped = f"data_pipeline.py stops at line {mine[-1].lineno}, which is not written yet"
    names = {k: v for k, v in vars(module).items() if k not in globals()}
    globals().update(names)
    yield
    os.chdir(before)


def task(number):
    """Say which task a test belongs to, and when that task is still to be written."""

    def mark(test):
        @functools.wraps(test)
        def run():
            try:
                test()
            except NotImplementedError:
                pytest.fail(f"task {number} is not written yet", pytrace=False)
            except NameError as e:
                reason = f"; {stopped}" if stopped else ""
                pytest.fail(f"task {number}: {e}{reason}", pytrace=False)

        return run

    return mark



@task(1)
def test_task1_dataset_public():
    # Task 1: three pictures, one black, one grey, one white
    import torch

    shades = torch.tensor([0, 51, 255], dtype=torch.uint8)
    three = ArrayDataset(shades[:, None, None].expand(3, 28, 28), [7, 8, 9])
    assert len(three) == 3, f"three pictures make a dataset of length 3, not {len(three)}"
    image, label = three[1]
    assert image.shape == (1, 28, 28), f"an image has the shape (1, 28, 28), not {tuple(image.shape)}"
    assert image.dtype == torch.float32, f"pixels are float32, not {image.dtype}"
    assert abs(float(image.max()) - 0.2) < 1e-6, f"51 of 255 is 0.2, not {float(image.max()):g}"
    assert int(label) == 8, f"the label of the second picture is 8, not {label}"


@task(2)
def test_task2_batches_public():
    # Task 2: a hundred samples in batches of sixteen
    import numpy as np
    import torch

    rows, names = torch.arange(300.0).reshape(100, 3), torch.arange(100)
    made = list(batches(rows, names, 16, True, np.random.default_rng(0)))
    sizes = [len(part) for part, _ in made]
    assert sizes == [16] * 6 + [4], f"six batches of 16 and one of 4, not {sizes}"
    assert all(len(a) == len(b) for a, b in made), "as many rows of y as of X in each batch"


@task(3)
def test_task3_stats_public():
    # Task 3: four pixels: 0, 0.2, 0.6 and 0.8
    import torch

    four = torch.tensor([[[0, 51]], [[153, 204]]], dtype=torch.uint8)
    mean, std = channel_stats(four)
    assert abs(float(mean) - 0.4) < 1e-6, f"the mean of 0, 0.2, 0.6 and 0.8 is 0.4, not {float(mean):g}"
    right = min(abs(float(std) - 0.31623), abs(float(std) - 0.36515)) < 1e-4
    assert right, f"their deviation is 0.3162 (over N) or 0.3651 (over N - 1), not {float(std):.4f}"


@task(4)
def test_task4_split_public():
    # Task 4: a thousand samples into 700, 150 and 150
    import torch
    from torch.utils.data import TensorDataset

    thousand = TensorDataset(torch.arange(1000), torch.arange(1000) % 10)
    sizes = [len(part) for part in split(thousand, 700, 150, 150, seed=1)]
    assert sizes == [700, 150, 150], f"the parts have 700, 150 and 150 samples, not {sizes}"


@task(5)
def test_task5_loaders_public():
    # Task 5: shapes, types and sizes
    import torch

    train, val, test = make_loaders("data", 64, seed=0)
    images, labels = next(iter(train))
    assert images.shape == (64, 1, 28, 28), f"a batch is (64, 1, 28, 28), not {tuple(images.shape)}"
    assert images.dtype == torch.float32, f"images are float32, not {images.dtype}"
    assert labels.shape == (64,), f"64 images have 64 labels, not a tensor {tuple(labels.shape)}"
    assert labels.dtype == torch.int64, f"labels are int64, not {labels.dtype}"
    n_train, n_val = (sum(len(y) for _, y in loader) for loader in (train, val))
    assert abs(n_train - 5 * n_val) <= 5, f"a sixth is for validation: {n_train} and {n_val} images"


@task(6)
def test_task6_grid_public():
    # Task 6: three pictures under their labels
    import torch
    from matplotlib.figure import Figure

    drawn = show_grid([(torch.rand(1, 28, 28), k) for k in (4, 0, 7)], n=3, columns=3)
    assert isinstance(drawn, Figure), f"show_grid returns a Figure, not a {type(drawn).__name__}"
    titles = [ax.get_title() for ax in drawn.axes if ax.images]
    assert titles == ["4", "0", "7"], f"three pictures under the labels 4, 0 and 7, not {titles}"
