# %% [markdown]
# # Line by line
#
# * **You will need** three hours; the computing takes a minute.
# * **You should know** assignment 04.
# * **Afterwards you can** write a training script from an empty file, and say of each line what it is for.
#
# In the last lab you wrapped everything in functions. This time there are none: one bare script,
# read from top to bottom, as you would type it into a console on a quiet afternoon. Forty lines are
# enough to go from pixels to a trained network, and once you have seen all of them on one page, no
# training program can frighten you again.
#
# ![One script, read from the top: network, beginning, batches, ten epochs of five beats, the measure](img/line_by_line.svg)
#
# Nobody will call a function of yours, because there is none to call. Instead your whole program is
# run, on images of ours, and each of its first steps is recomputed: from the weights before it, the
# batch that came in, and the weights after it. So it does not matter *how* you write it, with an
# optimizer or with your own arithmetic, with a `DataLoader` or with slices of a shuffled tensor.
#
# Please keep one name: **`net`**, the network, a global. Do not rely on there being 60,000 images: the
# program is run with other sets than yours. The images are those of `FashionMNIST` under `data`. If you want
# to use a GPU, move `net` and every batch to it, as in assignment 05; this script is quick without one.

# %%
import torch
from torch import nn
from torchvision import datasets, transforms

# %% [markdown]
# ## Task 1 · A network in one expression
#
# A network that is a straight line of layers needs no class: `nn.Sequential` calls one after the other.
#
# Build `net` of four layers: `nn.Flatten`, a linear layer from 784 to 256, a ReLU, and a linear layer
# from 256 to 10. What comes out are ten raw scores, the **logits**, and nothing follows them.
#
# <details><summary>Hint: why Flatten?</summary>
#
# A batch of pictures has the shape `(B, 1, 28, 28)`, a linear layer wants rows. `nn.Flatten()` keeps the
# first dimension, the batch, and joins the others: `(B, 784)`. A batch that is flat already passes
# through unchanged.
#
# </details>

# %% nbgrader={"grade": false, "grade_id": "task1-net", "locked": false, "schema_version": 3, "solution": true, "task": false}
# Task 1. net: images (B, 1, 28, 28) float32 to logits (B, 10) float32
### BEGIN SOLUTION
torch.manual_seed(0)
net = nn.Sequential(nn.Flatten(), nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 10))
### END SOLUTION

# %% tags=["public"] nbgrader={"grade": true, "grade_id": "task1-net-public", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Task 1: the shape of the answer, and the number of parameters
import torch

logits = net(torch.zeros(5, 1, 28, 28))
assert logits.shape == (5, 10), f"expected 10 logits per picture, (5, 10), got {tuple(logits.shape)}"
count = sum(p.numel() for p in net.parameters())
assert count == 203_530, f"784 → 256 → 10 has 203,530 parameters, yours has {count:,}"

# %% nbgrader={"grade": true, "grade_id": "task1-net-hidden", "locked": true, "points": 1.5, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from autograder.live import grade

grade("net_logits", "net_nonlinear")
### END HIDDEN TESTS

# %% [markdown]
# ## Task 2 · Where it begins
#
# Each layer comes with random weights of PyTorch's choice. Choose your own: write a function
# `init_weights(m)` that, given a linear layer, draws its weights from a normal distribution with mean 0
# and standard deviation **0.01** and sets its bias to **zero**, and given anything else does nothing. Then
# hand the function to `net.apply`, which calls it with every module of the network in turn.
#
# <details><summary>Hint: in place</summary>
#
# The functions of `torch.nn.init` that end in an underscore, such as `nn.init.normal_` and
# `nn.init.zeros_`, fill a tensor that is there already, and switch the recording of gradients off while
# they do it.
#
# </details>

# %% nbgrader={"grade": false, "grade_id": "task2-init", "locked": false, "schema_version": 3, "solution": true, "task": false}
# Task 2. init_weights(m), and its application to every module of net
### BEGIN SOLUTION
def init_weights(m):
    if isinstance(m, nn.Linear):
        nn.init.normal_(m.weight, std=0.01)
        nn.init.zeros_(m.bias)


net.apply(init_weights)
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "task2-init-hidden", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from autograder.live import grade

grade("init")
### END HIDDEN TESTS

# %% [markdown]
# ## Task 3 · Batches of 256
#
# Open the training and the test images of `FashionMNIST` in the folder `data`, as float tensors. Set up
# batches of **256** training images, in a **new random order each epoch**. The last
# batch of an epoch is shorter, and belongs to it like any other.
#
# <details><summary>Hint: two ways</summary>
#
# A `DataLoader` with `batch_size` and `shuffle` does it all. So do three lines of your own: a fresh
# `torch.randperm` at the start of each epoch, cut into slices of 256 indices.
#
# </details>

# %% nbgrader={"grade": false, "grade_id": "task3-data", "locked": false, "schema_version": 3, "solution": true, "task": false}
# Task 3. The images, and batches of them
### BEGIN SOLUTION
to_tensor = transforms.ToTensor()
train_set = datasets.FashionMNIST("data", train=True, download=True, transform=to_tensor)
test_set = datasets.FashionMNIST("data", train=False, download=True, transform=to_tensor)
train_loader = torch.utils.data.DataLoader(train_set, batch_size=256, shuffle=True)
test_loader = torch.utils.data.DataLoader(test_set, batch_size=256)
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "task3-data-hidden", "locked": true, "points": 2.5, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from autograder.live import grade

grade("batch", "shuffled")
### END HIDDEN TESTS

# %% [markdown]
# ## Task 4 · Ten epochs of five beats
#
# Train `net` for **ten epochs** with plain gradient descent (SGD) at a learning rate of **0.1**, minimising
# the cross-entropy, averaged over the batch. Play all five beats for every batch: zero, forward, loss,
# backward, step. Print something after each epoch, so that you see it learn.
#
# Weights as small as these give logits near zero, so the first loss is ln 10 = 2.30, and the gradients
# are small too. For the first ten steps or so the loss hardly moves; then it drops. With 60,000 images
# that is the beginning of the first epoch, which has 235 steps and a mean loss of about 1.0. With 2,000
# images an epoch has 8 steps, and it is the first epoch or two.
#
# <details><summary>Hint: which numbers does the loss want?</summary>
#
# `nn.CrossEntropyLoss` takes the logits as they are, and the right classes as integers. It does the
# softmax itself.
#
# </details>

# %% nbgrader={"grade": false, "grade_id": "task4-train", "locked": false, "schema_version": 3, "solution": true, "task": false}
# Task 4. Ten epochs
### BEGIN SOLUTION
loss_fn = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for epoch in range(10):
    total = 0.0
    for images, labels in train_loader:
        optimizer.zero_grad()
        loss = loss_fn(net(images), labels)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(labels)
    print(f"epoch {epoch + 1}: loss {total / len(train_set):.4f}")
### END SOLUTION

# %% tags=["public"] nbgrader={"grade": true, "grade_id": "task4-train-public", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
# Task 4: the biases began at zero; ten epochs must have moved them
biases = [p for p in net.parameters() if p.ndim == 1]
assert biases, "the linear layers have biases"
assert all(b.abs().max() > 0 for b in biases), "a bias is still zero: nothing has been learnt"

# %% nbgrader={"grade": true, "grade_id": "task4-train-hidden", "locked": true, "points": 9, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from autograder.live import grade

grade("zero_grad", "beats", "objective", "graphs", "rate", "epochs")
### END HIDDEN TESTS

# %% [markdown]
# ## Task 5 · The measure
#
# Measure the final network on every test image, without recording gradients, and print its **test
# accuracy**: the number of images that it gets right, divided by the number of images. A fraction with
# two decimals or more, or a percentage; either is fine.

# %% nbgrader={"grade": false, "grade_id": "task5-measure", "locked": false, "schema_version": 3, "solution": true, "task": false}
# Task 5. Print the test accuracy
### BEGIN SOLUTION
correct = 0
net.eval()
with torch.no_grad():
    for images, labels in test_loader:
        correct += (net(images).argmax(dim=1) == labels).sum().item()
print(f"test accuracy: {correct / len(test_set):.4f}")
### END SOLUTION

# %% nbgrader={"grade": true, "grade_id": "task5-measure-hidden", "locked": true, "points": 2, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from autograder.live import grade

grade("no_grad", "printed")
### END HIDDEN TESTS

# %% [markdown]
# ## Task 6 · How good is it?
#
# There is nothing more to write. The weights that your program ends with are asked about pictures that
# neither you nor they have seen; full marks for what a correct program reaches on the same training
# images, part of them below.
#
# If you are curious: what happens if all weights begin at zero? At 1? Print the loss of the very first
# batch before you train, and compare it with ln 10. Then take away the ReLU and look at the accuracy again.

# %% nbgrader={"grade": true, "grade_id": "task6-accuracy-hidden", "locked": true, "points": 1, "schema_version": 3, "solution": false, "task": false}
### BEGIN HIDDEN TESTS
from autograder.live import grade

grade("accuracy")
### END HIDDEN TESTS
