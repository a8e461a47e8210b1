# %% [markdown]
# # The data pipeline
#
# * **You will need** four hours; the computing takes a minute.
# * **You should know** assignment 02, and how numpy is indexed.
# * **Afterwards you can** build a loader by hand, split without leaking, and say what a batch contains
#   before you train on it.
#
# Before the loop can take its first beat, something must hand it a batch. That something is a pipeline:
#
# ![Files become a dataset, a dataset gives one item, a transform changes it, a loader makes batches, the loop takes them; a dashed line keeps validation and test apart](img/pipeline.svg)
#
# A **dataset** answers one question: *what is item i?* A **transform** changes that item on its way. A
# **loader** decides which items make the next batch, and in which order. None of this is deep, and yet
# many a result was ruined here: by an image beside the wrong label, a test image among the training images,
# a number learned from data that should have been unknown. The loop does not notice. It learns whatever it
# is given.
#
# You build each part by hand once, and then put PyTorch's own parts together. Its loader has five
# switches:
#
# | the switch | what it does | usual value |
# |---|---|---|
# | `batch_size` | how many items make a batch | 32 to 512 |
# | `shuffle` | a new order for every pass | yes for training, no for evaluation |
# | `num_workers` | how many processes prepare batches | 0 on a laptop, the number of cores on a server |
# | `pin_memory` | keeps batches where a GPU can fetch them quickly | with a GPU |
# | `drop_last` | leaves the short batch at the end out | only where a short batch hurts |
#
# Names and arguments are fixed, the inside is yours, and what a function is given stays as it was.
# Where a function has to be reproducible, its chance comes from the generator or the seed that it is
# given, and from nowhere else. (That a `DataLoader` draws a number from PyTorch's global generator at
# each pass, even if it does not shuffle, is no fault of yours.)
#
# The images of this assignment are those of Fashion-MNIST: 28 × 28 grey pixels of clothes in ten
# classes. `datasets.FashionMNIST("data", download=True)` fetches them once.

# %%
import matplotlib.pyplot as plt
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset, Subset
from torchvision import datasets, transforms

# %% [markdown]
# ## Task 1 · A dataset
#
# Images are stored as whole numbers from 0 to 255, because a byte is small. A network wants floats. So
# item i of your dataset is made when somebody asks for it: the stored picture becomes a float32 tensor of
# shape (1, 28, 28), with values from 0 to 1; then it goes through `transform`, if there is one.
#
# *Every time.* A transform may draw random numbers: shift the picture a little, turn it a little.
# Item 4 is then another picture at each read, and that is the point of it. If you transform once and keep
# the result, you have bought one picture and not a thousand.
#
# And a transform may write into what it is given. What you hand out must therefore not be your store
# itself, or item 4 is spoiled for good.
#
# An error has its place, too: `IndexError` past the end is how a `for` loop learns that a dataset is
# over.
#
# <details><summary>Hint: where does the conversion belong?</summary>
#
# In `__getitem__`. A conversion of a byte to a float always makes a copy, and a copy of one picture is
# cheap.
#
# </details>

# %%
class ArrayDataset(Dataset):
    """Task 1. Images and their labels, one pair at a time.

    images: (N, 28, 28) uint8, a tensor or a numpy array; labels: N whole numbers; transform: a
    function from an image to an image, or None. The arrays are never changed. Raises ValueError
    where there are more images than labels, or fewer.

    ds[i] is (image, label): the image a float32 tensor (1, 28, 28), its pixels from 0 to 1, and
    then whatever `transform` makes of it, anew at every read; the label an int. len(ds) is N.
    Raises IndexError for i >= N; what a negative i gives is open.
    """

    def __init__(self, images, labels, transform=None):
        # YOUR CODE HERE
        raise NotImplementedError()

    def __len__(self):
        # YOUR CODE HERE
        raise NotImplementedError()

    def __getitem__(self, i):
        # YOUR CODE HERE
        raise NotImplementedError()

# %% [markdown]
# ## Task 2 · Batches
#
# Now the loader, in its simplest form: a **generator** that goes once through the data and hands out
# pairs of (some rows of X, the same rows of y). Every sample comes once. If 100 samples go into batches of
# 16, six batches are full and the seventh has four; it is not dropped.
#
# With `shuffle` the samples come in a random order, a new one for each pass, drawn from `rng`. All orders
# of the *samples* are equally likely: the same batches in another order, each still made of neighbours, are
# not enough. Without `shuffle` they come as they lie, and `rng` is not touched. A batch may be a copy of its
# rows or, where it is a slice, a view of X: either is fine.
#
# A generator makes a batch when it is asked for it. If you collect all batches in a list first, the data
# are in memory twice.
#
# <details><summary>Hint: shuffle numbers, not data</summary>
#
# One list of indices serves X and y, and nothing has to be moved.
#
# </details>

# %%
def batches(X, y, batch_size, shuffle, rng):
    """Task 2. Go through the data once, in batches: a generator of (rows of X, the same of y).

    X, y: tensors or numpy arrays of N >= 1 rows each; `batches` does not change them. batch_size:
    int; the last batch is as short as it must be. shuffle: whether the order is drawn anew, from
    `rng`, a numpy.random.Generator, which is the only source of chance and is untouched otherwise;
    whether it is drawn at the call or with the first batch is open. Any iterator that makes a
    batch when it is asked for it will do.
    """
    # YOUR CODE HERE
    raise NotImplementedError()

# %% [markdown]
# ## Task 3 · Two numbers for a data set
#
# Networks like inputs near zero, of a size near one. So one subtracts the mean of all pixels and divides
# by their standard deviation, and every channel (grey has one, colour three) has its own two numbers. You
# will meet those of the two classics in many programs: 0.1307 and 0.3081 for the 60,000 training images
# of MNIST, 0.2860 and 0.3530 for those of Fashion-MNIST, with pixels from 0 to 1.
#
# All images and all positions go into **one** mean and **one** deviation per channel. Two shortcuts look
# like it and are something else. We took 8,000 digits of MNIST:
#
# | what is computed | it gives |
# |---|---|
# | the deviation of all pixels | **0.311** |
# | the mean of the images' own deviations | 0.304 |
# | the deviation of the images' means | 0.044 |
#
# The second is near enough to be believed, and the third is not: divide by it and your inputs are seven
# times too large.
#
# Whether you divide by N or by N − 1 hardly matters for so many pixels; both are fine.
#
# <details><summary>Hint: numbers that do not fit</summary>
#
# The square of a byte stays a byte: in uint8, 200² is 64. And float16 knows no number above 65,504, while
# 60,000 images have 47 million pixels. Become float32 before you square or add.
#
# </details>

# %%
def channel_stats(images):
    """Task 3. Mean and standard deviation of the pixels, scaled to [0, 1], channel by channel.

    images: uint8, a tensor or a numpy array. (N, H, W): returns (mean, std), two floats or tensors
    of shape (). (N, C, H, W): two tensors of shape (C,). Over all images and all positions together.
    """
    # YOUR CODE HERE
    raise NotImplementedError()

# %% [markdown]
# ## Task 4 · Split
#
# Three parts: one to learn from, one to choose by, one to be honest with. They share no sample. Files
# often lie sorted, by class or by date, so whoever cuts in order gets a validation part that holds two
# classes of ten. The cut must be random.
#
# And it must be *one* cut, today and tomorrow: a sample that was for validation yesterday must not be
# trained on tomorrow. So the same seed means the same parts, whatever random numbers the program drew
# before.
#
# <details><summary>Hint: a generator of your own</summary>
#
# `torch.Generator().manual_seed(seed)` is nobody else's business. `torch.manual_seed(seed)` makes the same
# cut each time as well and costs no points here, but it sets back everybody else's chance in the program.
#
# </details>

# %%
def split(dataset, n_train, n_val, n_test, seed):
    """Task 4. Three datasets of n_train, n_val and n_test items, drawn from `dataset` at random.

    They have no item in common. The same seed gives the same parts, whatever was drawn before,
    and another seed others. Items that are left over are left out; raises ValueError where there
    are not enough.
    """
    # YOUR CODE HERE
    raise NotImplementedError()

# %% [markdown]
# ## Task 5 · The loaders of a project
#
# Everything together, on Fashion-MNIST, and from here on with PyTorch's own `DataLoader` if you like.
#
# * A sixth of the training images, rounded up or down, becomes the **validation part** (of 60,000: 50,000
#   and 10,000), chosen by `seed`. The test images stay the test images. No image is in two parts.
# * All images are normalised, with the mean and the deviation of the **training part**. Not of all 60,000:
#   validation and test images stand for pictures that nobody has seen yet, and you cannot take the mean
#   of what you have not seen. (Statistics are taken of the pictures as they are stored, without
#   augmentation.)
# * `augment` changes an image at random before it is normalised; it sees one image at a time, (1, 28, 28)
#   with values from 0 to 1. It is for the training part only. Whoever augments the validation images
#   measures on pictures that the network will never be asked about.
# * Each pass over the training loader has an order of its own, and the orders of all passes repeat with
#   the seed, whatever else draws random numbers in the meantime. (The order alone: what `augment` draws is
#   its own affair.) Validation and test come in the same order at each pass; which one, is yours to choose.
#   No image is left out.
#
# The first three points are the dashed line of the picture at the top. The usual mistake: one dataset that
# augments, `random_split`, two loaders. Both parts are then views of *one* dataset, so that the validation
# images are augmented, too.
#
# <details><summary>Hint: two datasets, one list</summary>
#
# Two datasets over the same files, with different transforms, and one list of indices to cut both.
#
# </details>
#
# <details><summary>Hint: an order that repeats and yet changes</summary>
#
# `DataLoader(..., shuffle=True, generator=g)` draws each pass from g, and goes on from there in the next
# one. Seed g once, when you make it.
#
# </details>

# %%
def make_loaders(root, batch_size, seed, augment=None):
    """Task 5. The loaders (train, val, test) over torchvision's FashionMNIST below `root`, which is
    downloaded where it is missing.

    Each gives pairs (images, labels): float32 (B, 1, 28, 28), normalised by the statistics of the
    training part, and int64 (B,); B is batch_size, less in the last batch. A sixth of the
    training images, chosen by `seed`, is val. augment: a function from an image, (1, 28, 28) in
    [0, 1], to an image, applied to the training part alone and before normalising; or None.

    train comes in another order each pass, and the orders of all passes are fixed by `seed`; val
    and test each keep one order.
    """
    # YOUR CODE HERE
    raise NotImplementedError()

# %% [markdown]
# ## Task 6 · Look at it
#
# The cheapest test of any pipeline: look at what comes out. It finds the mirrored picture, the wrong
# label, the black batch, and it takes a minute.
#
# Draw the first `n` items side by side, `columns` in a row, grey, each under its label. What was
# normalised is not what you want to see, so undo it: image · std + mean. And leave no empty boxes in
# the last row: whether you remove them or only make them invisible is the same.
#
# `imshow` stretches the greys of each picture by itself, so that a faint one looks as strong as the others.
# With `vmin=0, vmax=1` all have one scale. Either is fine.
#
# <details><summary>Hint: a picture of which shape?</summary>
#
# `imshow` draws (28, 28). The 1 in (1, 28, 28) is the channel. `ax.axis("off")` takes frame and ticks
# away, also from an `ax` on which nothing is drawn.
#
# </details>

# %%
def show_grid(dataset, n=16, columns=8, mean=0.0, std=1.0):
    """Task 6. A matplotlib Figure with the first `n` items of `dataset`, row by row.

    dataset[i] is (image, label), the image (1, 28, 28), normalised with `mean` and `std`; n is at
    most len(dataset). Each image has an axes of its own, in grey, without frame and ticks, with
    its label, an int, as title, and shows image * std + mean. No other axes is to be seen.
    """
    # YOUR CODE HERE
    raise NotImplementedError()

# %% [markdown]
# ## Task 7 · What order does
#
# One experiment. A small network is trained twice on the same 2,000 images, for three epochs, in batches
# of 64, with your `batches`. Once the images are shuffled; once they come sorted by class: first all
# T-shirts, then all trousers, and so on to the boots.
#
# Then write five sentences in the cell `order_essay`, in place of *Your five sentences*: Why does the
# sorted run forget? What would change if a batch held all 2,000 images? A person reads this, and gives half
# a point for each of three things that a good answer says.
#
# To watch such a network forget, batch by batch, in the plane: [sorted against
# shuffled](explore/order.html). Guess first.
#
# **Predict.** How good is each of the two after three epochs? (No points, and nobody reads it.)

# %%
my_guess_7 = "..."

# %%
def what_order_does(X, y, unseen_X, unseen_y, shuffle, epochs=3):
    """Train a small network on (X, y), sorted by class or shuffled.

    X, unseen_X: (N, 784) float32; y, unseen_y: int64. Returns (losses, accuracies): the loss of
    each batch, and the accuracy on the unseen images after each epoch.
    """
    by_class = torch.argsort(y, stable=True)
    X, y = X[by_class], y[by_class]
    torch.manual_seed(0)
    layers = [nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 10)]
    model = nn.Sequential(*layers)
    sgd = torch.optim.SGD(model.parameters(), lr=0.1)
    rng = np.random.default_rng(0)
    losses, accuracies = [], []
    for _ in range(epochs):
        for some_X, some_y in batches(X, y, 64, shuffle, rng):
            sgd.zero_grad()
            loss = nn.functional.cross_entropy(model(some_X), some_y)
            loss.backward()
            sgd.step()
            losses.append(loss.item())
        with torch.no_grad():
            right = model(unseen_X).argmax(dim=1) == unseen_y
        accuracies.append(right.float().mean().item())
    return losses, accuracies

# %% [markdown]
# BEGIN ANSWER order_essay
# *Your five sentences.*
# END ANSWER

# %% [markdown]
# ## Experiment · task 6, Look at it

# %%
if __name__ == "__main__":
    examples, _, _ = make_loaders("data", 64, seed=0)
    few = [(image, int(label)) for image, label in zip(*next(iter(examples)))][:16]
    figure = show_grid(few, mean=0.2860, std=0.3530)
    plt.show()

# %% [markdown]
# You should see sixteen pieces of clothing, bright on black. If they look like photographic negatives, look
# at the colour map of task 6: `"gray"` draws 0 black. If they look like snow, look at tasks 1 and 5.

# %% [markdown]
# ## Experiment · task 7, What order does

# %%
if __name__ == "__main__":
    next(iter(batches(torch.zeros(2), torch.zeros(2), 1, False, None)))  # is task 2 there?
    print("your guess:", my_guess_7)
    data = []
    for train_part in (True, False):
        source = datasets.FashionMNIST("data", train=train_part, download=True)
        data += [source.data[:2000].reshape(-1, 784) / 255, source.targets[:2000]]
    figure, axes = plt.subplots(1, 2, figsize=(9, 3), sharey=True)
    for ax, shuffle in zip(axes, (True, False)):
        losses, accuracies = what_order_does(*data, shuffle)
        name = "shuffled" if shuffle else "sorted by class"
        print(f"{name}: after each epoch", ", ".join(f"{a:.1%}" for a in accuracies))
        ax.plot(losses)
        ax.set_title(name)
        ax.set_xlabel("batch")
    axes[0].set_ylabel("loss")
    plt.show()

# %% [markdown]
# We ran the same on 2,000 handwritten digits in place of clothes, so your figures are others. Shuffled, the
# network reads 43, 63 and 76 % of 2,000 unseen digits after the three epochs. Sorted, it reads 9.1 % after
# *every* one of them: it calls everything a nine, the class that it saw last. Its loss falls to 0.17 while
# a class lasts, and jumps to 4.3 when the next one begins. Which of this do you see in your run?
#
# Now write your five sentences (task 7 says on what).
