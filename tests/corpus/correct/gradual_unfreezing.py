"""Train the head; then thaw the body and hand it to the same optimizer as a new group."""
import torch
from torch import nn

torch.manual_seed(0)


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(10, 40), nn.Tanh())
        self.head = nn.Linear(40, 1)

    def forward(self, x):
        return self.head(self.body(x)).flatten()


def run_epoch(model, opt, x, y):
    total = 0.0
    for s in torch.randperm(len(x)).split(50):
        opt.zero_grad()
        loss = nn.functional.huber_loss(model(x[s]), y[s])
        loss.backward()
        opt.step()
        total += loss.item() * len(s)
    return total / len(x)


x = torch.randn(400, 10)
y = torch.cos(x[:, 0]) + x[:, 1] * x[:, 2]
m = Model()
m.body.requires_grad_(False)
opt = torch.optim.Adam((p for p in m.parameters() if p.requires_grad), lr=1e-2)
for epoch in range(8):
    if epoch == 3:
        m.body.requires_grad_(True)
        opt.add_param_group({"params": m.body.parameters(), "lr": 3e-3})
        print("body thawed")
    print(epoch, run_epoch(m, opt, x, y))
