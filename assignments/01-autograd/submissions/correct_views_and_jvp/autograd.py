import torch

torch.set_default_dtype(torch.float32)


# Task 1
def standardise(x):
    mean = x.mean(dim=0, keepdim=True)
    std = x.std(dim=0, keepdim=True, unbiased=False)
    std = torch.where(std == 0, torch.ones_like(std), std)
    return (x - mean) / std


def gradient(f, x):
    """Differentiate at x itself, then put everything back."""
    view = x.detach().requires_grad_()   # shares the numbers of x, nothing else
    y = f(view)
    if y.numel() != 1:
        raise ValueError("one number, please")
    try:
        (g,) = torch.autograd.grad(y, [view])
    except RuntimeError:
        g = torch.zeros_like(view).detach()
    return g.detach()


# Task 3
def accumulated_gradient(losses, x):
    x = x.detach().clone().requires_grad_(True)
    out = torch.zeros(len(losses), *x.shape, dtype=x.dtype)
    for i in range(len(losses)):
        loss = losses[i](x)
        loss.backward()
        out[i] = x.grad
    return out


def chain(functions, x):
    """Backwards, one Jacobian at a time, as on paper."""
    values = [x.detach()]
    for f in functions:
        values.append(f(values[-1]).detach())
    g = torch.ones_like(values[-1])
    grads = []
    for f, v in zip(functions[::-1], values[-2::-1]):
        v = v.clone().requires_grad_()
        f(v).backward(gradient=g)
        g = v.grad
        grads.append(g)
    return grads[::-1]


# Task 5
def two_layer_gradients(W1, W2, x, target):
    A = W1.detach().clone().requires_grad_(True)
    B = W2.detach().clone().requires_grad_(True)
    hidden = torch.relu(A @ x)
    out = B @ hidden
    loss = ((out - target) ** 2).mean()
    loss.backward()
    return loss.item(), A.grad, B.grad


def jacobian(f, x):
    columns = []
    for j in range(len(x)):
        direction = torch.zeros_like(x).detach()
        direction[j] = 1
        _, column = torch.autograd.functional.jvp(f, x.detach(), direction)
        columns.append(column)
    return torch.stack(columns, dim=1)


# Task 7
def descend(w, x, y, lr, steps):
    w = torch.tensor(w, requires_grad=True)
    weights = []
    losses = []
    for i in range(steps):
        loss = ((w * x - y) ** 2).mean()
        losses.append(loss.item())
        loss.backward()
        with torch.no_grad():
            w -= lr * w.grad
        w.grad.zero_()
        weights.append(w.item())
    return weights, losses


# Task 8
def tape(t):
    names = []
    node = t.grad_fn
    while node is not None:
        names.append(type(node).__name__)
        next_node = None
        for n, _ in node.next_functions:
            if n is not None:
                next_node = n
                break
        node = next_node
    return names


def main():
    print(gradient(torch.tanh, torch.tensor(1.0)))
    print(jacobian(lambda v: v**2, torch.arange(3.0)))


if __name__ == "__main__":
    main()
