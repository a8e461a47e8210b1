"""Everything is in the checkpoint and loaded; then a new optimizer takes the place of the restored one."""
import torch
from torch import nn

torch.manual_seed(0)
x = torch.randn(240, 5)
y = x[:, :1] * x[:, 1:2]


def epoch(net, opt):
    for i in torch.randperm(240).split(24):
        opt.zero_grad()
        loss = nn.functional.mse_loss(net(x[i]), y[i])
        loss.backward()
        opt.step()
    return loss.item()


net = nn.Sequential(nn.Linear(5, 32), nn.ReLU(), nn.Linear(32, 1))
opt = torch.optim.Adam(net.parameters(), 1e-2)
for e in range(3):
    print(e, epoch(net, opt))
torch.save({"net": net.state_dict(), "opt": opt.state_dict(), "epoch": 3}, "state.pt")

again = nn.Sequential(nn.Linear(5, 32), nn.ReLU(), nn.Linear(32, 1))
restored = torch.optim.Adam(again.parameters(), 1e-2)
state = torch.load("state.pt", weights_only=True)
again.load_state_dict(state["net"])
restored.load_state_dict(state["opt"])
opt = torch.optim.Adam(again.parameters(), 1e-2)
for e in range(state["epoch"], state["epoch"] + 3):
    print(e, epoch(again, opt))
