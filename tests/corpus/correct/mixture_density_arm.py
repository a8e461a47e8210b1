"""Mixture density network for the inverse of a non-injective function."""
import math

import torch
from torch import nn
from torch.optim.lr_scheduler import LinearLR


class MDN(nn.Module):
    def __init__(self, k=6, h=40):
        super().__init__()
        self.hidden = nn.Sequential(nn.Linear(1, h), nn.Tanh())
        self.pi, self.mu, self.log_sigma = (nn.Linear(h, k) for _ in range(3))

    def forward(self, x):
        z = self.hidden(x)
        return torch.log_softmax(self.pi(z), -1), self.mu(z), self.log_sigma(z)

    def nll(self, x, y):
        log_pi, mu, ls = self(x)
        log_n = -0.5 * ((y - mu) / ls.exp()) ** 2 - ls - 0.5 * math.log(2 * math.pi)
        return -torch.logsumexp(log_pi + log_n, -1).mean()


def toy(n):
    y = torch.rand(n, 1) * 2 - 1
    x = y + 0.3 * torch.sin(2 * math.pi * y) * 1.5 + 0.05 * torch.randn(n, 1)
    return x, y


def main():
    torch.manual_seed(1)
    x, y = toy(1000)
    model = MDN()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    decay = LinearLR(optimizer, 1.0, 0.1, total_iters=30)
    for epoch in range(30):
        for idx in torch.utils.data.BatchSampler(torch.utils.data.RandomSampler(range(1000)), 100, False):
            optimizer.zero_grad()
            nll = model.nll(x[idx], y[idx])
            nll.backward()
            optimizer.step()
        decay.step()
        if epoch % 5 == 4:
            with torch.no_grad():
                print(f"epoch {epoch + 1:3d} held-out nll {model.nll(*toy(500)).item():.3f}")


if __name__ == "__main__":
    main()
