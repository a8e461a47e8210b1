# Planar flows fitted by maximising the ELBO of an unnormalised ring density.
import math
import torch
import torch.nn as nn


class PlanarTransform(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.u = nn.Parameter(torch.randn(dim) * 0.1)
        self.w = nn.Parameter(torch.randn(dim) * 0.1)
        self.b = nn.Parameter(torch.zeros(()))

    def constrained_u(self):
        wu = self.w @ self.u
        m = -1 + nn.functional.softplus(wu)
        return self.u + (m - wu) * self.w / self.w.pow(2).sum()

    def forward(self, z):
        u = self.constrained_u()
        act = torch.tanh(z @ self.w + self.b)
        psi = (1 - act ** 2).unsqueeze(1) * self.w
        return z + act.unsqueeze(1) * u, torch.log((1 + psi @ u).abs() + 1e-8)


class Flow(nn.Module):
    def __init__(self, dim=2, n=12):
        super().__init__()
        self.mu, self.log_sigma = nn.Parameter(torch.zeros(dim)), nn.Parameter(torch.zeros(dim))
        self.steps = nn.ModuleList(PlanarTransform(dim) for _ in range(n))

    def forward(self, n):
        eps = torch.randn(n, self.mu.numel())
        z = self.mu + self.log_sigma.exp() * eps
        log_q = (-0.5 * eps ** 2 - self.log_sigma - 0.5 * math.log(2 * math.pi)).sum(1)
        for step in self.steps:
            z, log_det = step(z)
            log_q = log_q - log_det
        return z, log_q


def energy(z):
    r = z.norm(dim=1)
    return 0.5 * ((r - 2) / 0.4) ** 2 - torch.logsumexp(torch.stack([-0.5 * ((z[:, 0] - 2) / 0.6) ** 2, -0.5 * ((z[:, 0] + 2) / 0.6) ** 2]), 0)


def main():
    torch.manual_seed(3)
    flow = Flow()
    optimiser = torch.optim.RMSprop(flow.parameters(), lr=2e-3)
    for it in range(600):
        z, log_q = flow(256)
        beta = min(1.0, 0.1 + it / 300)  # annealed free energy
        loss = (log_q + beta * energy(z)).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        if it % 100 == 0:
            print(f"{it:4d}  free energy {loss.item():.3f}")
    with torch.no_grad():
        sample, _ = flow(2000)
    print("mean radius", sample.norm(dim=1).mean().item())


if __name__ == "__main__":
    main()
