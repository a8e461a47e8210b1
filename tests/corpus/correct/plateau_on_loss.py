"""The loss, in the mode that is the default."""
import torch
from torch import nn
from torch.optim.lr_scheduler import ReduceLROnPlateau
from torch.utils.data import DataLoader, TensorDataset


torch.manual_seed(0)
x = torch.randn(500, 12)
y = (x @ torch.randn(12, 3)).argmax(1)
train = DataLoader(TensorDataset(x[:400], y[:400]), 25, shuffle=True)
held = DataLoader(TensorDataset(x[400:], y[400:]), 50)
net = nn.Sequential(nn.Linear(12, 32), nn.ReLU(), nn.Linear(32, 3))
opt = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)


def learn():
    net.train()
    for a, b in train:
        opt.zero_grad()
        nn.functional.cross_entropy(net(a), b).backward()
        opt.step()


@torch.no_grad()
def measure():
    net.eval()
    loss = right = 0
    for a, b in held:
        out = net(a)
        loss += nn.functional.cross_entropy(out, b, reduction="sum").item()
        right += (out.argmax(1) == b).sum().item()
    return loss / 100, right / 100


plan = ReduceLROnPlateau(opt, factor=0.5, patience=1)
for epoch in range(9):
    learn()
    loss, accuracy = measure()
    plan.step(loss)
    print(epoch, round(loss, 4), accuracy, opt.param_groups[0]["lr"])
