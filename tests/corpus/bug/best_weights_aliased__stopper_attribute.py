"""An early stopper that remembers state_dict() itself."""
import torch
from torch import nn


class EarlyStopping:
    def __init__(self, patience=4):
        self.patience, self.counter, self.best_loss, self.best_state = patience, 0, None, None
        self.early_stop = False

    def __call__(self, val_loss, model):
        if self.best_loss is None or val_loss < self.best_loss:
            self.best_loss, self.counter = val_loss, 0
            self.best_state = model.state_dict()
        else:
            self.counter += 1
            self.early_stop = self.counter >= self.patience


torch.manual_seed(5)
x, xv = torch.randn(50, 8), torch.randn(70, 8)
y, yv = (t[:, :1] + 0.9 * torch.randn(len(t), 1) for t in (x, xv))
net = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 1))
opt = torch.optim.Adam(net.parameters(), 1e-2)
stop = EarlyStopping()
for epoch in range(40):
    net.train()
    for i in torch.randperm(50).split(10):
        opt.zero_grad()
        nn.functional.mse_loss(net(x[i]), y[i]).backward()
        opt.step()
    net.eval()
    with torch.no_grad():
        val = nn.functional.mse_loss(net(xv), yv).item()
    print(epoch, val)
    stop(val, net)
    if stop.early_stop:
        break
net.load_state_dict(stop.best_state)
torch.save(net.state_dict(), "best.pt")
