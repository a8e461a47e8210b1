import torch
from torch.optim import Optimizer


def log_softmax(logits):
    """Twice shifted, so that nothing can overflow."""
    m, _ = torch.max(logits, dim=-1, keepdim=True)
    exps = torch.exp(logits - m)
    return (logits - m) - torch.log(torch.sum(exps, dim=-1, keepdim=True))


def cross_entropy(logits, targets):
    assert_ = lambda ok: None if ok else (_ for _ in ()).throw(ValueError("bad arguments"))
    assert_(logits.ndim == 2)
    assert_(targets.shape == logits.shape[:1])
    assert_(not torch.is_floating_point(targets))
    total = logits.new_zeros(())
    logs = log_softmax(logits)
    for row, target in zip(logs, targets):
        total = total - row[target]
    return total / len(targets)


# Task 3
def mse(pred, target):
    if pred.shape != target.shape:
        raise ValueError("shapes differ")
    return ((pred - target) ** 2).mean()


def bce_with_logits(logits, targets):
    if logits.shape != targets.shape:
        raise ValueError("shapes differ")
    # log p(answer), by log-softmax over the two answers "no" (0) and "yes" (z)
    both = torch.stack([torch.zeros_like(logits), logits], dim=-1).reshape(-1, 2)
    logs = log_softmax(both)
    t = targets.reshape(-1)
    return -((1 - t) * logs[:, 0] + t * logs[:, 1]).mean()


class SGD(Optimizer):
    def __init__(self, params, lr, momentum=0.0, weight_decay=0.0):
        super().__init__(params, dict(lr=lr, momentum=momentum, weight_decay=weight_decay))

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                g = p.grad.add(p, alpha=group["weight_decay"])
                state = self.state[p]
                if "v" not in state:
                    state["v"] = torch.clone(g)
                else:
                    state["v"].mul_(group["momentum"]).add_(g)
                p.add_(state["v"], alpha=-group["lr"])


class Adam(Optimizer):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, dict(lr=lr, betas=betas, eps=eps))

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            b1, b2 = group["betas"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if not state:
                    state["t"] = 0
                    state["m"] = torch.zeros_like(p)
                    state["v"] = torch.zeros_like(p)
                state["t"] += 1
                state["m"].mul_(b1).add_(p.grad, alpha=1 - b1)
                state["v"].mul_(b2).addcmul_(p.grad, p.grad, value=1 - b2)
                m = state["m"] / (1 - b1 ** state["t"])
                v = state["v"] / (1 - b2 ** state["t"])
                p.sub_(group["lr"] * m / (v.sqrt() + group["eps"]))


class AdamW(Adam):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
        super().__init__(params, lr, betas, eps)
        self.weight_decay = weight_decay

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    p.mul_(1 - group["lr"] * self.weight_decay)
        super().step()


# Task 8
def trajectory(optimizer, params, loss, steps):
    def flat():
        return torch.cat([p.detach().reshape(-1) for p in params]).clone()

    places = [flat()]
    for i in range(steps):
        optimizer.zero_grad()
        l = loss()
        l.backward()
        optimizer.step()
        places.append(flat())
    return torch.stack(places)


if __name__ == "__main__":
    z = torch.randn(5, 3)
    t = torch.tensor([0, 1, 2, 0, 1])
    print(cross_entropy(z, t), torch.nn.functional.cross_entropy(z, t))
