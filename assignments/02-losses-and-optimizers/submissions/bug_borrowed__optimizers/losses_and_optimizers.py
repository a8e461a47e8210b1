import torch


# Task 1
def log_softmax(logits):
    biggest = logits.max(dim=1, keepdim=True)[0]
    z = logits - biggest
    total = torch.exp(z).sum(dim=1, keepdim=True)
    return z - torch.log(total)


# Task 2
def cross_entropy(logits, targets):
    if logits.dim() != 2:
        raise ValueError("logits must be 2-D")
    if targets.dim() != 1 or targets.shape[0] != logits.shape[0]:
        raise ValueError("one target for each row")
    if targets.is_floating_point():
        raise ValueError("targets must be integers")
    logs = log_softmax(logits)
    rows = torch.arange(logits.shape[0])
    picked = logs[rows, targets]
    return -picked.mean()


# Task 3
def mse(pred, target):
    if pred.shape != target.shape:
        raise ValueError("shapes differ")
    return ((pred - target) ** 2).mean()


# Task 4
def bce_with_logits(logits, targets):
    if logits.shape != targets.shape:
        raise ValueError("shapes differ")
    positive = torch.clamp(logits, min=0)
    rest = torch.log(1 + torch.exp(-torch.abs(logits)))
    loss = positive + rest - logits * targets
    return loss.mean()


# Task 5
class SGD:
    def __init__(self, params, lr, momentum=0.0, weight_decay=0.0):
        self.inner = torch.optim.SGD(params, lr=lr, momentum=momentum, weight_decay=weight_decay)

    def step(self):
        self.inner.step()

    def zero_grad(self):
        self.inner.zero_grad()


# Task 6
from torch.optim import Adam


# Task 7
class AdamW(torch.optim.AdamW):
    pass


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
