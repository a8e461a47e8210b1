# %% [markdown]
# # Tensors and the tape
#
# * **You will need** three hours; the computing takes seconds.
# * **You should know** Python, matrix products, and the chain rule on paper.
# * **Afterwards you can** read and bend shapes without changing what you were given, say what `.grad`
#   holds at any line, and write a descent step without an optimizer.
#
# A tensor is an array of numbers with a memory of how it was made. Every operation on it adds a
# line to a record, the **tape**: "this came from that, by squaring". Ask for a gradient, and PyTorch
# plays the tape backwards, once, and multiplies the slopes it meets on the way. That is the whole
# secret, and every training you will ever run rests on it.
#
# ![The chain y = x², z = 3y, h = z + 1 at x = 2: values 2, 4, 12, 13 run forward, gradients 12, 3, 1 run backward](img/tape.svg)
#
# Two rules for all eight tasks. Please keep the names and arguments of the functions: the tests call
# them and look at what they return. Everything inside is yours: where the text describes one way to the
# numbers, another way to the same numbers is fine, a formula or `torch.func` as well. And **leave what
# you are given as you found it**: a tensor that comes in as an argument belongs to somebody else. When
# your function returns, its numbers, its `.grad` and its `requires_grad` are what they were before.
#
# Before some of the experiments there is a line like `my_guess_4 = "..."`. Write down what you expect
# before you run the experiment. There are no points for it and nobody reads it; it is there because
# you remember a surprise, and forget what you merely read. (In the script the experiments, with their
# questions and answers, stand together at the end.)

# %%
import matplotlib.pyplot as plt
import torch

# %% [markdown]
# ## Task 1 · Standardise the columns
#
# A table of measurements has one row per sample and one column per quantity. One quantity is in
# metres, another in grams, and a network would find the grams a thousand times more interesting.
# So each column is shifted to mean 0 and scaled to deviation 1:
#
# (x − mean of its column) / deviation of its column
#
# The deviation here divides by N, the number of rows, and not by N − 1. A column in which every
# number is the same has deviation 0; it becomes a column of zeros. So does every column of a table with
# a single row.
#
# You need no loop. A row of shape (1, D) that meets a table of shape (N, D) is used for every row
# of it. This is called **broadcasting**, and nearly every program with tensors relies on it.
#
# <details><summary>Hint: a row that fits</summary>
#
# `x.mean(dim=0)` averages over the rows and leaves one number per column. With `keepdim=True` the
# answer stays a row, (1, D), and broadcasts over the table without further thought.
#
# </details>
#
# <details><summary>Hint: new tensor or old one</summary>
#
# `x - 1` makes a new tensor. `x -= 1`, and every method whose name ends in `_`, writes into the tensor
# itself, and the caller's table is gone.
#
# </details>
#
# <details><summary>Hint: a deviation that is nearly 0</summary>
#
# In float32 the mean of seven times 0.1 is not quite 0.1, and the deviation comes out as 7e-9 in place
# of 0. `x == x[:1]` tells for certain where a column is constant. (The constant columns of the tests have a
# mean without rounding, so `deviation == 0` is enough for them.)
#
# </details>

# %%
def standardise(x):
    """Task 1. Each column of `x` with mean 0 and deviation 1 (over N).

    x: (N, D) float with N ≥ 1, which may require grad. Returns a tensor of the same shape and
    dtype, through which gradients may pass or not; a column that is constant becomes zeros.
    """
    # YOUR CODE HERE
    raise NotImplementedError()

# %% [markdown]
# ## Task 2 · The gradient of anything
#
# `f` is any function from a tensor to a single number. The gradient says, for each entry of `x`: if
# this entry grew a little, how fast would f grow? It has the shape of `x`.
#
# To find out you have to set `requires_grad`, run `f`, go backward and read `.grad`. All of this
# leaves traces, and `x` is not yours. It may be in the middle of somebody's training and hold a
# gradient that is still needed. Whoever looks at `x` must not be able to tell afterwards that `gradient`
# was called, and a second call gives the same answer as the first. (If `f` uses other tensors that
# require grad, the weights of a network for example, `backward()` adds to their `.grad` too, and
# `torch.autograd.grad` does not. Either is fine here.)
#
# If `f` returns anything but a single number there is no gradient to speak of: raise `ValueError`. If `f`
# does not look at `x` at all, the slope is 0 in every direction.
#
# To move it with your own hands: [what a gradient says](explore/gradient.html), a page of this
# course that you open in a browser.
#
# <details><summary>Hint: who owns x?</summary>
#
# `x.detach()` is a tensor without history that shares its numbers with `x`. `x.detach().clone()` shares
# nothing: it is yours, and you may ask for its gradient and throw it away.
#
# </details>
#
# <details><summary>Hint: a function that does not look</summary>
#
# If the answer of `f` was not made from `x`, it has no tape and cannot go backward. Ask it first:
# `y.requires_grad`. And if the tape is there but does not lead to `x`, the gradient that you get is
# `None`.
#
# </details>

# %%
def gradient(f, x):
    """Task 2. The gradient of `f` at `x`.

    f: a function from a tensor like `x` to a tensor with one element; it does not write into its
    argument. x: a float tensor of any shape, a leaf or not, with or without `requires_grad` and
    `.grad`. Never called inside `torch.no_grad()`.

    Returns a tensor of the shape and dtype of `x` that does not require grad; zeros where `f`
    does not depend on `x`. Raises ValueError where f(x) does not have exactly one element. `x`,
    its `.grad` and its `requires_grad` stay as they were.
    """
    # YOUR CODE HERE
    raise NotImplementedError()

# %% [markdown]
# ## Task 3 · Gradients add up
#
# ![Three buckets. Gradients 2.0, 1.8 and 1.5 are poured in one after the other, and the level stands at 2.0, 3.8 and 5.3](img/adds_up.svg)
#
# A backward pass does not *set* `.grad`. It *adds* to what is there, like water to a bucket, and the
# bucket is emptied by nobody but you. Once in a while this is useful. Mostly it is the most
# frequent bug in all of deep learning, and you will meet it under many names.
#
# Look at it with your own eyes. `accumulated_gradient` is given several losses. It runs one backward
# pass for each of them, in order, **without emptying the bucket in between**, and returns what `.grad`
# held after each pass, one below the other.
#
# To pour them yourself, negative ones too: [gradients add up](explore/buckets.html).
#
# <details><summary>Hint: a level that changes afterwards</summary>
#
# `.grad` is one tensor, and every backward pass adds into the same one. Put it into a list three
# times, and the list holds the same tensor three times. What does a photograph of a tensor look like?
#
# </details>
#
# <details><summary>Hint: an empty list</summary>
#
# `x.new_zeros(0, *x.shape)` is a stack of no tensors at all, of the right shape and dtype.
#
# </details>

# %%
def accumulated_gradient(losses, x):
    """Task 3. What `.grad` holds after each of several backward passes that nobody clears.

    losses: a list of functions from a tensor like `x` to a tensor with one element, each of
    which depends on it. x: a float tensor of any shape, as in task 2, which stays as it was.

    Returns a tensor (len(losses), *x.shape): row k is the sum of the first k + 1 gradients.
    Without losses its shape is (0, *x.shape).
    """
    # YOUR CODE HERE
    raise NotImplementedError()

# %% [markdown]
# ## Task 4 · Link by link
#
# Back to the picture at the top. x = 2 becomes y = 4, then z = 12, then h = 13. The chain rule says
# that the slope of h over x is the product of the slopes of the links: 1 · 3 · 4 = 12. Playing the
# tape backwards multiplies them from the end: first 1, then 1 · 3, then 1 · 3 · 4. So on its way to x
# it has found the gradient of every intermediate value as well; it only throws them away.
#
# `chain` keeps them. It runs a list of functions, each on the result of the one before, and returns
# the gradient of the last value with respect to the input of *each* of them: 12, 3, 1.
#
# <details><summary>Hint: keep what would be thrown away</summary>
#
# A tensor that was computed is no leaf, and its `.grad` stays empty unless you ask for it before the
# backward pass: `y.retain_grad()`. `torch.autograd.grad` can be asked for several gradients at once.
#
# </details>
#
# <details><summary>Hint: 4, 3, 1</summary>
#
# If this is what you get, each link is right by itself, but nothing is connected: the tape was cut
# between them. What in your code cuts it?
#
# </details>

# %%
def chain(functions, x):
    """Task 4. The gradient of the end of a chain with respect to the input of each link.

    functions: a list of at least one; x_0 is `x`, and x_(k+1) = functions[k](x_k), a new tensor
    that depends on x_k. The last result has one element; the others may have any shape. x: a
    float tensor, which stays as it was.

    Returns a list of len(functions) tensors: the gradients with respect to x_0, x_1, …, each of
    the shape of that value.
    """
    # YOUR CODE HERE
    raise NotImplementedError()

# %% [markdown]
# ## Task 5 · Two layers
#
# Now with matrices. A network of two layers without biases computes W2 · relu(W1 · x), where relu keeps
# what is positive and puts 0 in place of the rest (its slope at exactly 0 is 0 as well). Its loss is the
# mean of the squared differences from the target. How would it have to change its weights? The tape works
# that out however many layers there are; for two of them you could still do it by hand, and once in
# your life you should. Either is accepted.
#
# Write down the shapes before the code. `W1` (H, D) turns D inputs into H hidden values, `W2` (O, H)
# turns these into O outputs. A gradient always has the shape of what it belongs to.
#
# <details><summary>Hint: one number out of O</summary>
#
# The loss is a *mean* over the O outputs. Their sum has the same direction, but is O times as long.
#
# </details>

# %%
def two_layer_gradients(W1, W2, x, target):
    """Task 5. The loss of a network of two layers, and its gradients.

    W1: (H, D), W2: (O, H), x: (D,), target: (O,), all float; W1 and W2 may require grad. The
    loss is the mean over the O outputs of (W2 · relu(W1 · x) − target)².

    Returns (loss, dW1, dW2): a float, a tensor (H, D), a tensor (O, H). The arguments stay as
    they were.
    """
    # YOUR CODE HERE
    raise NotImplementedError()

# %% [markdown]
# ## Task 6 · The Jacobian
#
# A function with O outputs has O gradients, one per output. Put below each other they make a table,
# (O, D), the **Jacobian**: entry (i, j) says how fast output i grows with input j.
#
# A backward pass starts from *one* number, so you need one for each row. Two things from this
# assignment wait for you here: a bucket that adds up, and a tape that is played once.
#
# <details><summary>Hint: played once</summary>
#
# After a backward pass PyTorch throws the tape away to save memory. "Trying to backward through the
# graph a second time" means just that. `retain_graph=True` keeps it for the next row.
#
# </details>

# %%
def jacobian(f, x):
    """Task 6. The Jacobian of `f` at `x`.

    f: a function from a tensor (D,) to a tensor (O,). x: (D,) float, which stays as it was.
    Returns a tensor (O, D): row i is the gradient of output i, zeros where it ignores `x`.
    """
    # YOUR CODE HERE
    raise NotImplementedError()

# %% [markdown]
# ## Task 7 · Downhill by hand
#
# The gradient points uphill. Go a little in the other direction, and again, and again: this is all
# the learning there is. Our model is a single number w that should turn each x into its y; the loss is
# the mean of (w · x − y)² over the data. Each step:
#
# 1. compute the loss, and its gradient with respect to w;
# 2. w ← w − lr · gradient;
# 3. see to it that the next gradient starts from zero.
#
# From w = 2, with x = y = 1 and lr = 0.1, the best w is 1, and the way there begins
# 1.8000, 1.6400, 1.5120, 1.4096, 1.3277, 1.2621. The losses, each measured *before* its step, are
# 1.0000, 0.6400, 0.4096, 0.2621, 0.1678, 0.1074.
#
# The update itself is nothing to be differentiated: it is bookkeeping, and does not belong on the
# tape. And what you return are plain numbers; a loss that is kept as a tensor keeps its whole tape.
#
# <details><summary>Hint: writing into a weight</summary>
#
# PyTorch refuses to change a leaf in place while it records. Inside `with torch.no_grad():` it does not
# record, and `w -= ...` is allowed. `w = w - ...` makes a *new* tensor: is it still a leaf that asks for
# a gradient?
#
# </details>

# %%
def descend(w, x, y, lr, steps):
    """Task 7. Gradient descent on the mean of (w · x − y)², by hand.

    w: float, where to start; x, y: (N,) float tensors that do not require grad, and stay as they
    were; lr: float, the learning rate; steps: int.

    Returns (weights, losses), two lists of `steps` floats: the weight after each step, and the
    loss before it, computed in the precision of `x` or in Python's.
    """
    # YOUR CODE HERE
    raise NotImplementedError()

# %% [markdown]
# ## Task 8 · Read the tape
#
# The tape is no magic; you can read it. Each computed tensor knows the operation that made it,
# `t.grad_fn`, and that operation has edges to those before it, `next_functions`: pairs of an operation
# and a number that does not matter here. Where an input needs no gradient (a constant, say) the edge
# leads nowhere: its operation is `None`. At the other end, in front of each leaf that asked for a
# gradient, stands `AccumulateGrad`. You know what it does: it pours into the bucket. The leaf itself was
# not computed, so its own `grad_fn` is `None`.
#
# `tape` follows the first edge that leads anywhere, until there is none, and returns the names of the
# operations it passes: for the chain at the top `AddBackward0`, `MulBackward0`, `PowBackward0`,
# `AccumulateGrad`.
#
# <details><summary>Hint: the name of an object's class</summary>
#
# `type(node).__name__`
#
# </details>

# %%
def tape(t):
    """Task 8. The operations behind `t`, from the last one back to a leaf.

    t: a tensor. Returns a list of str: the class names of `t.grad_fn` and of the operations
    reached from there, always along the first edge whose operation is not None. Empty where
    `t.grad_fn` is None, as it is for every leaf.
    """
    # YOUR CODE HERE
    raise NotImplementedError()

# %% [markdown]
# ## Experiment · task 2, The gradient of anything

# %% [markdown]
# A gradient can always be checked with plain arithmetic: walk a tiny step to either side and see how
# much f changes. If the two columns below disagree in the first three digits, believe the one that was
# found by walking: it does without the tape.

# %%
if __name__ == "__main__":
    print("    x   tape     by walking")
    for x in (-2.0, 0.0, 1.0):
        here = torch.tensor(x, dtype=torch.float64)
        walked = (torch.tanh(here + 1e-5) - torch.tanh(here - 1e-5)) / 2e-5
        print(f"{x:5.1f}   {float(gradient(torch.tanh, here)):.6f}  {float(walked):.6f}")

# %% [markdown]
# ## Experiment · task 4, Link by link

# %% [markdown]
# **Predict.** The same chain at x = 3 in place of 2. Which of the gradients 12, 3, 1 change?

# %%
my_guess_4 = "..."

# %%
if __name__ == "__main__":
    print("your guess:", my_guess_4)
    square_triple_add = [lambda x: x**2, lambda y: 3 * y, lambda z: z + 1]
    for x in (2.0, 3.0):
        slopes = [f"{float(s):g}" for s in chain(square_triple_add, torch.tensor(x))]
        print(f"x = {x:g}: {', '.join(slopes)}")

# %% [markdown]
# Only the first. The slope of "times 3" is 3 and that of "plus 1" is 1, wherever you stand; the slope of
# x² depends on where you are. A link's slope is about that link, and the tape multiplies.

# %% [markdown]
# ## Experiment · task 5, Two layers

# %% [markdown]
# **Predict.** For the four hidden values of the public test, which the experiment uses too, the first row of
# dW1 is all zeros, although the network is wrong and every other row wants to move. What is special
# about the first hidden value?

# %%
my_guess_5 = "..."

# %%
if __name__ == "__main__":
    print("your guess:", my_guess_5)
    W1 = torch.tensor([[1.0, 0.0, -1.0], [0.0, 2.0, 0.0], [-1.0, 0.0, 1.0], [0.5, 0.5, 0.5]])
    print("hidden values before the relu:", (W1 @ torch.tensor([1.0, 2.0, 3.0])).tolist())

# %% [markdown]
# It is −2, so the relu is shut, and behind a shut relu the slope is 0: for this input those weights learn
# nothing. Another input may open it. A relu that *no* input opens is dead, and stays so; you will meet
# a network full of them in assignment 09.

# %% [markdown]
# ## Experiment · task 7, Downhill by hand

# %% [markdown]
# **Predict.** Somebody forgets to empty the bucket. After three steps, who is nearer to the best weight,
# which is 1: you, or the one with the bug?

# %%
my_guess_7 = "..."

# %%
if __name__ == "__main__":
    mine, _ = descend(2.0, torch.tensor([1.0]), torch.tensor([1.0]), 0.1, 6)
    w, held, never_cleared = 2.0, 0.0, []
    for _ in range(6):
        held += 2 * (w - 1)  # what .grad holds if nobody clears it
        w -= 0.1 * held
        never_cleared.append(w)
    print("your guess:", my_guess_7)
    print("step          ", *(f"{k:7d}" for k in range(1, 7)))
    print("yours         ", *(f"{w:7.4f}" for w in mine))
    print("never cleared ", *(f"{w:7.4f}" for w in never_cleared))
    figure, axes = plt.subplots(1, 2, figsize=(9, 3), sharey=True)
    curve = torch.linspace(-0.2, 2.2, 100)
    for ax, name, path in zip(axes, ("yours", "never cleared"), (mine, never_cleared)):
        ax.plot(curve, (curve - 1) ** 2, color="lightgrey")
        ax.plot([2.0, *path], [(w - 1) ** 2 for w in [2.0, *path]], marker="o")
        ax.set(title=name, xlabel="w", ylabel="loss")
    plt.show()

# %% [markdown]
# The one with the bug: 0.9920 against 1.5120. Its next loss is 0.0001, where yours is 0.2621. Then it
# shoots past, and it never comes to rest. Remember this picture: **a bug can look like progress.** A loss
# that falls is no proof that the loop is right.

# %% [markdown]
# ## Where this leads
#
# You now have the three things that a training loop is made of: a forward pass that writes a tape, a
# backward pass that reads it, and a step that uses what was found. Assignment 02 builds the losses
# to start from and the optimizers to step with. Print the tape of something larger: a network of
# `torch.nn` and a mean. There is more of it, and nothing new.

# %%
if __name__ == "__main__":
    network = torch.nn.Sequential(
        torch.nn.Linear(3, 4, bias=False), torch.nn.Tanh(), torch.nn.Linear(4, 2, bias=False)
    )
    print(" <- ".join(tape(network(torch.ones(1, 3)).square().mean())))
