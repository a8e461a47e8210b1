"""Energy-based model of 2-d points: short-run Langevin chains with a replay buffer of old samples."""
from dataclasses import dataclass

import torch
from torch import Tensor, nn, optim
from torch.utils.data import DataLoader, TensorDataset


@dataclass
class Settings:
    points: int = 1024
    batch: int = 128
    epochs: int = 8
    chain: int = 15
    step: float = 0.05
    lr: float = 2e-3
    fresh: float = 0.1


class ReplayBuffer:
    def __init__(self, size: int, dim: int) -> None:
        self.memory = torch.rand(size, dim) * 4 - 2

    def draw(self, n: int, fresh: float) -> tuple[Tensor, Tensor]:
        where = torch.randperm(len(self.memory))[:n]
        start = self.memory[where].clone()
        new = torch.rand(n) < fresh
        start[new] = torch.rand(int(new.sum()), start.size(1)) * 4 - 2
        return start, where

    def put(self, where: Tensor, x: Tensor) -> None:
        self.memory[where] = x


def langevin(energy: nn.Module, x: Tensor, s: Settings) -> Tensor:
    for p in energy.parameters():
        p.requires_grad_(False)
    for _ in range(s.chain):
        x = x.detach().requires_grad_(True)
        (g,) = torch.autograd.grad(energy(x).sum(), x)
        x = x - s.step * g.clamp(-1, 1) + 0.02 * torch.randn_like(x)
    for p in energy.parameters():
        p.requires_grad_(True)
    return x.detach()


def two_moons(n: int) -> Tensor:
    t = torch.rand(n) * torch.pi
    top = torch.rand(n) < 0.5
    x = torch.where(top, t.cos(), 1 - t.cos()) - 0.5
    y = torch.where(top, t.sin(), 0.5 - t.sin()) - 0.25
    return torch.stack([x, y], 1) + 0.05 * torch.randn(n, 2)


def run(s: Settings) -> None:
    torch.manual_seed(0)
    loader = DataLoader(TensorDataset(two_moons(s.points)), s.batch, shuffle=True)
    energy = nn.Sequential(nn.Linear(2, 64), nn.SiLU(), nn.Linear(64, 64), nn.SiLU(), nn.Linear(64, 1))
    opt = optim.Adam(energy.parameters(), s.lr, betas=(0.0, 0.999))
    buffer = ReplayBuffer(2048, 2)
    for epoch in range(s.epochs):
        gaps = []
        for (real,) in loader:
            start, where = buffer.draw(len(real), s.fresh)
            fake = langevin(energy, start, s)
            buffer.put(where, fake)
            opt.zero_grad()
            e_real, e_fake = energy(real), energy(fake)
            loss = e_real.mean() - e_fake.mean() + 0.05 * (e_real.square().mean() + e_fake.square().mean())
            loss.backward()
            opt.step()
            gaps.append((e_real.mean() - e_fake.mean()).item())
        with torch.no_grad():
            noise = torch.rand(1000, 2) * 4 - 2
            contrast = (energy(noise).mean() - energy(two_moons(1000)).mean()).item()
        print(f"epoch {epoch}: energy gap {sum(gaps) / len(gaps):+.3f}, noise above data by {contrast:+.3f}")


if __name__ == "__main__":
    run(Settings())
