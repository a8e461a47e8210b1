import torch


# Task 1
def standardise(x):
    mean = x.mean(dim=0, keepdim=True)
    std = x.std(dim=0, keepdim=True, unbiased=False)
    std = torch.where(std == 0, torch.ones_like(std), std)
    return (x - mean) / std


# Task 2
def gradient(f, x):
    x = x.detach().clone()
    x.requires_grad = True
    y = f(x)
    if y.numel() > 1:
        raise ValueError("f must return a single number")
    if not y.requires_grad:
        return torch.zeros_like(x).detach()
    y.backward()
    if x.grad is None:
        return torch.zeros_like(x).detach()
    return x.grad


# Task 3
def accumulated_gradient(losses, x):
    x = x.detach().clone().requires_grad_(True)
    out = torch.zeros(len(losses), *x.shape, dtype=x.dtype)
    for i in range(len(losses)):
        loss = losses[i](x)
        loss.backward()
        out[i] = x.grad
    return out


# Task 4
def chain(functions, x):
    value = x.detach().clone().requires_grad_(True)
    values = []
    for f in functions:
        value.retain_grad()
        values.append(value)
        value = f(value)
    value.backward()
    grads = []
    for v in values:
        grads.append(v.grad)
    return grads


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
    x = x.detach().clone().requires_grad_(True)
    y = f(x)
    J = torch.zeros(y.shape[0], x.shape[0], dtype=x.dtype)
    for i in range(y.shape[0]):
        if y[i].requires_grad:
            y[i].backward(retain_graph=True)
        if x.grad is not None:
            J[i] = x.grad
    return J


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


if __name__ == "__main__":
    print(descend(2.0, torch.tensor([1.0]), torch.tensor([1.0]), 0.1, 6))
    y = 3 * torch.tensor(2.0, requires_grad=True) ** 2 + 1
    print(tape(y))
