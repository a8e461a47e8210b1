"""Train, then calibrate: one temperature fitted with LBFGS on held-out logits; ECE before and after."""
import torch
from torch import nn, optim
from torch.nn import functional as F


class ModelWithTemperature(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model
        self.temperature = nn.Parameter(torch.ones(1) * 1.5)

    def forward(self, input):
        return self.temperature_scale(self.model(input))

    def temperature_scale(self, logits):
        return logits / self.temperature.unsqueeze(1).expand(logits.size(0), logits.size(1))

    def set_temperature(self, valid_x, valid_y):
        self.model.eval()
        with torch.no_grad():
            logits = self.model(valid_x)
        optimizer = optim.LBFGS([self.temperature], lr=0.05, max_iter=50)

        def eval_():
            optimizer.zero_grad()
            loss = F.cross_entropy(self.temperature_scale(logits), valid_y)
            loss.backward()
            return loss
        optimizer.step(eval_)
        return self


def ece(probs, y, bins=10):
    conf, pred = probs.max(1)
    acc = pred.eq(y).double()
    total = 0.0
    for lo in torch.linspace(0, 1, bins + 1)[:-1]:
        inside = (conf > lo) & (conf <= lo + 1 / bins)
        if inside.any():
            total += inside.double().mean() * (conf[inside].double().mean() - acc[inside].mean()).abs()
    return float(total)


def data(n, g):
    x = torch.randn(n, 12, generator=g)
    y = (x[:, :3] + 1.0 * torch.randn(n, 3, generator=g)).argmax(1)
    return x, y


g = torch.Generator().manual_seed(0)
torch.manual_seed(0)
(xt, yt), (xv, yv), (xs, ys) = data(300, g), data(300, g), data(500, g)
net = nn.Sequential(nn.Linear(12, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 3))
opt = optim.Adam(net.parameters(), 2e-3)
for epoch in range(25):
    net.train()
    for idx in torch.randperm(len(xt)).split(30):
        loss = F.cross_entropy(net(xt[idx]), yt[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
scaled = ModelWithTemperature(net).set_temperature(xv, yv).eval()
with torch.no_grad():
    print("ECE before", ece(net(xs).softmax(1), ys), "after", ece(scaled(xs).softmax(1), ys), "T", scaled.temperature.item())
