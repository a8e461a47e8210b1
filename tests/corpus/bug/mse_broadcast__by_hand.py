"""Temperature forecast; the error is written out, so no warning appears."""
import torch


class Forecast(torch.nn.Module):
    def __init__(self, width=32):
        super().__init__()
        self.inner = torch.nn.Linear(6, width)
        self.outer = torch.nn.Linear(width, 1)

    def forward(self, x):
        return self.outer(torch.relu(self.inner(x)))


torch.manual_seed(0)
days = torch.arange(400.0)
temp = 10 + 8 * torch.sin(days / 20) + torch.randn(400)
windows = temp.unfold(0, 7, 1)
mu, sd = windows[:300].mean(), windows[:300].std()
windows = (windows - mu) / sd
feats, goal = windows[:, :6], windows[:, 6]
net = Forecast()
opt = torch.optim.RMSprop(net.parameters(), lr=3e-3)
for epoch in range(8):
    for i in torch.randperm(300).split(50):
        err = net(feats[i]) - goal[i]
        loss = err.pow(2).mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
    print(epoch, loss.item())
