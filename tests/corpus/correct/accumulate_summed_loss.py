"""Accumulation another way: summed losses over micro-batches, divided once by all samples."""
import torch
import torch.nn.functional as F


def micro(batch, size):
    xs, ys = batch
    for s in range(0, len(xs), size):
        yield xs[s:s + size], ys[s:s + size]


torch.manual_seed(4)
W = torch.randn(7, 3)
X = torch.randn(300, 7)
T = (X @ W + 0.3 * torch.randn(300, 3)).argmax(1)
net = torch.nn.Sequential(torch.nn.Linear(7, 20), torch.nn.ReLU(), torch.nn.Linear(20, 3))
opt = torch.optim.SGD(net.parameters(), lr=0.2)
for epoch in range(5):
    order = torch.randperm(300)
    epoch_loss = 0.0
    for sel in order.split(100):
        big = X[sel], T[sel]
        opt.zero_grad()
        for x, t in micro(big, 16):
            loss = F.cross_entropy(net(x), t, reduction="sum") / len(sel)
            loss.backward()
            epoch_loss += loss.item() * len(sel)
        opt.step()
    print(epoch, epoch_loss / 300)
