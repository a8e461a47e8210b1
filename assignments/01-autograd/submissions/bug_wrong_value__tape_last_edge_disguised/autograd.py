import torch
from torch.func import grad, jacrev, vjp


def standardise(x):
    c = x - x.mean(0)
    s = c.pow(2).mean(0).sqrt()
    return c / (s + (s == 0).to(s.dtype))


def gradient(f, x):
    def scalar(v):
        if (y := f(v)).numel() != 1:
            raise ValueError(f"{tuple(y.shape)} is no scalar")
        return y.reshape(())
    return grad(scalar)(x.detach().clone())


def accumulated_gradient(losses, x):
    if not losses:
        return torch.empty(0, *x.shape, dtype=x.dtype)
    return torch.stack([gradient(f, x) for f in losses]).cumsum(0)


def chain(functions, x):
    v, pulls = x.detach(), []
    for f in functions:
        v, pull = vjp(f, v)
        pulls.append(pull)
    g, out = torch.ones_like(v), []
    for pull in reversed(pulls):
        (g,) = pull(g)
        out.insert(0, g)
    return out


def two_layer_gradients(W1, W2, x, target):
    loss = lambda a, b: ((b @ (a @ x).clamp(min=0) - target) ** 2).mean()
    a, b = W1.detach(), W2.detach()
    d1, d2 = grad(loss, argnums=(0, 1))(a, b)
    return float(loss(a, b)), d1, d2


def jacobian(f, x):
    return jacrev(f)(x.detach())


def descend(w, x, y, lr, steps):
    loss = lambda w: (w * x - y).square().mean()
    w, ws, ls = torch.as_tensor(w, dtype=x.dtype), [], []
    for _ in range(steps):
        ls.append(loss(w).item())
        w = w - lr * grad(loss)(w)
        ws.append(w.item())
    return ws, ls


def tape(t):
    def walk(n):
        if n is None:
            return []
        return [n.__class__.__name__] + walk(next((m for m, _ in n.next_functions[::-1] if m), None))
    return walk(t.grad_fn)
