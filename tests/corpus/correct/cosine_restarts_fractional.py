"""Warm restarts with a fractional epoch passed at every iteration."""
import torch
from torch import nn

torch.manual_seed(0)
y = torch.randint(4, (400,))
x = torch.nn.functional.one_hot(y, 4).float() @ torch.randn(4, 12) * 2 + torch.randn(400, 12)
model = nn.Sequential(nn.Linear(12, 24), nn.ReLU(), nn.Linear(24, 4))
criterion = nn.CrossEntropyLoss(reduction="mean")
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
scheduler = torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer, T_0=2, T_mult=2)
dl = torch.utils.data.DataLoader(list(zip(x, y)), batch_size=40, shuffle=True)
iters = len(dl)
for epoch in range(6):
    for i, (inputs, labels) in enumerate(dl):
        optimizer.zero_grad()
        loss = criterion(model(inputs), labels)
        loss.backward()
        optimizer.step()
        scheduler.step(epoch + i / iters)
    print(epoch, loss.item(), scheduler.get_last_lr())
