"""Training ends in the middle of an epoch as soon as a moving average of the loss is small enough."""
import torch
from torch import nn
from torch.utils.data import DataLoader, RandomSampler, TensorDataset

torch.manual_seed(0)
x = torch.randn(500, 5)
y = (x @ torch.randn(5, 1)).relu()
ds = TensorDataset(x, y)
dl = DataLoader(ds, batch_size=25, sampler=RandomSampler(ds))
net = nn.Sequential(nn.Linear(5, 32), nn.ReLU(), nn.Linear(32, 1))
opt = torch.optim.RAdam(net.parameters(), lr=2e-2)
ema, done, epoch = None, False, 0
while not done:
    for a, b in dl:
        loss = nn.functional.mse_loss(net(a), b)
        opt.zero_grad()
        loss.backward()
        opt.step()
        ema = loss.item() if ema is None else 0.9 * ema + 0.1 * loss.item()
        if ema < 0.02 or epoch == 12:
            done = True
            break
    epoch += 1
print(epoch, ema)
