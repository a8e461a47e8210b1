"""A cosine over all small batches, stepped with each of them."""
import torch
from torch import nn
from torch.optim import lr_scheduler
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
x = torch.randn(480, 8)
y = (x @ torch.randn(8, 3)).argmax(1)
loader = DataLoader(TensorDataset(x, y), batch_size=20, shuffle=True)
net = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 3))
opt = torch.optim.SGD(net.parameters(), lr=0.2, momentum=0.9)
EPOCHS, GATHER = 5, 3
updates = EPOCHS * (len(loader) // GATHER)
plan = lr_scheduler.CosineAnnealingLR(opt, T_max=EPOCHS * len(loader))
for epoch in range(EPOCHS):
    for i, (a, b) in enumerate(loader, 1):
        (nn.functional.cross_entropy(net(a), b) / GATHER).backward()
        if i % GATHER == 0:
            opt.step()
            opt.zero_grad()
        plan.step()
    print(epoch, opt.param_groups[0]["lr"])
