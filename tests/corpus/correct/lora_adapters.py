"""Low-rank adapters: pre-train a base, freeze it, teach it a shifted task through rank-2 updates."""
import math

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(1234)


class LoRALinear(nn.Module):
    def __init__(self, base: nn.Linear, rank: int = 2, alpha: float = 8.0):
        super().__init__()
        self.base = base
        self.lora_A = nn.Parameter(torch.empty(rank, base.in_features))
        self.lora_B = nn.Parameter(torch.zeros(base.out_features, rank))
        nn.init.kaiming_uniform_(self.lora_A, a=math.sqrt(5))
        self.scaling = alpha / rank

    def forward(self, x):
        return self.base(x) + (x @ self.lora_A.T @ self.lora_B.T) * self.scaling


def add_lora(model):
    for p in model.parameters():
        p.requires_grad_(False)
    for name, child in list(model.named_children()):
        if isinstance(child, nn.Linear):
            setattr(model, name, LoRALinear(child))


def run(model, loader, optimizer=None):
    model.train(optimizer is not None)
    loss_sum = hits = n = 0
    with torch.set_grad_enabled(optimizer is not None):
        for x, y in loader:
            out = model(x)
            loss = nn.functional.cross_entropy(out, y)
            if optimizer is not None:
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            loss_sum += loss.item() * len(y)
            hits += (out.argmax(1) == y).sum().item()
            n += len(y)
    return loss_sum / n, hits / n


def task(centres, n):
    y = torch.randint(len(centres), (n,))
    return TensorDataset(centres[y] + 0.6 * torch.randn(n, centres.size(1)), y)


centres = torch.randn(6, 16)
rotated = centres.roll(1, 0) + 0.3 * torch.randn(6, 16)
net = nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 6))
loader = DataLoader(task(centres, 1200), 40, shuffle=True)
opt = torch.optim.AdamW(net.parameters(), lr=2e-3)
for epoch in range(3):
    print("base   ", epoch, run(net, loader, opt))
add_lora(net)
frozen = {k: v.clone() for k, v in net.state_dict().items() if "lora" not in k}
new_train, new_test = DataLoader(task(rotated, 600), 30, shuffle=True), DataLoader(task(rotated, 300), 100)
print("new task before", run(net, new_test))
opt = torch.optim.AdamW([p for p in net.parameters() if p.requires_grad], lr=1e-2)
for epoch in range(5):
    run(net, new_train, opt)
    print("adapter", epoch, run(net, new_test))
assert all(torch.equal(v, frozen[k]) for k, v in net.state_dict().items() if k in frozen)
