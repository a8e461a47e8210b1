"""A checkpoint of several things, one of them the object itself."""
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(5, 30), nn.Linear(30, 1)

    def forward(self, x):
        return self.b(torch.relu(self.a(x)))


def save_checkpoint(epoch, net, opt, best):
    torch.save({"epoch": epoch, "net": net, "optimizer": opt.state_dict(), "best": best}, f"epoch_{epoch}.tar")


torch.manual_seed(0)
x = torch.randn(200, 5)
y = x.prod(1, keepdim=True)
net = Net()
opt = torch.optim.Adam(net.parameters(), lr=1e-2)
for epoch in range(3):
    for i in torch.randperm(200).split(25):
        opt.zero_grad()
        loss = nn.functional.mse_loss(net(x[i]), y[i])
        loss.backward()
        opt.step()
    save_checkpoint(epoch, net, opt, loss.item())
back = torch.load("epoch_2.tar", weights_only=False)
print(back["epoch"], back["best"], sum(p.numel() for p in back["net"].parameters()))
