"""A fair rate with AdamW in mixed precision: the scaled loss is in the thousands, the loss is not."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
x = torch.randn(400, 30)
y = (x @ torch.randn(30, 6)).argmax(1)
loader = DataLoader(TensorDataset(x, y), batch_size=40, shuffle=True)
net = nn.Sequential(nn.Linear(30, 64), nn.ReLU(), nn.Linear(64, 6))
opt = torch.optim.AdamW(net.parameters(), lr=3e-3)
scaler = torch.amp.GradScaler("cpu", init_scale=2.0, growth_interval=1, growth_factor=2.0)
for epoch in range(3):
    for a, b in loader:
        opt.zero_grad(set_to_none=True)
        loss = nn.functional.cross_entropy(net(a), b)
        scaler.scale(loss).backward()
        scaler.step(opt)
        scaler.update()
    print(epoch, loss.item(), scaler.get_scale())
