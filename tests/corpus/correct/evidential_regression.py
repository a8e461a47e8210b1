"""Deep evidential regression (normal-inverse-gamma head), own Dataset in float64, ReduceLROnPlateau on validation NLL."""
import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset


class NIG(NamedTuple):
    gamma: Tensor
    nu: Tensor
    alpha: Tensor
    beta: Tensor


class Cubic(Dataset):
    def __init__(self, n: int, low: float, high: float, g: torch.Generator):
        self.x = torch.rand(n, 1, generator=g, dtype=torch.float64) * (high - low) + low
        self.y = self.x ** 3 / 20 + 0.3 * torch.randn(n, 1, generator=g, dtype=torch.float64)

    def __len__(self) -> int:
        return self.x.shape[0]

    def __getitem__(self, i: int):
        return self.x[i], self.y[i]


class EvidentialNet(nn.Module):
    def __init__(self, h: int = 64):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(1, h), nn.ReLU(), nn.Linear(h, h), nn.ReLU())
        self.head = nn.Linear(h, 4)

    def forward(self, x: Tensor) -> NIG:
        g, nu, a, b = self.head(self.body(x)).split(1, -1)
        sp = nn.functional.softplus
        return NIG(g, sp(nu) + 1e-4, sp(a) + 1.0001, sp(b) + 1e-4)


def evidential_loss(o: NIG, y: Tensor, lam: float = 0.02) -> Tensor:
    two_bl = 2 * o.beta * (1 + o.nu)
    nll = 0.5 * (math.pi / o.nu).log() - o.alpha * two_bl.log() + (o.alpha + 0.5) * (o.nu * (y - o.gamma) ** 2 + two_bl).log() + torch.lgamma(o.alpha) - torch.lgamma(o.alpha + 0.5)
    return (nll + lam * (y - o.gamma).abs() * (2 * o.nu + o.alpha)).mean()


def main() -> None:
    torch.manual_seed(0)
    g = torch.Generator().manual_seed(1)
    train = DataLoader(Cubic(600, -4, 4, g), batch_size=60, shuffle=True)
    val = DataLoader(Cubic(200, -4, 4, g), batch_size=200)
    net = EvidentialNet().double()
    opt = torch.optim.Adam(net.parameters(), lr=5e-3)
    plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(opt, factor=0.5, patience=3)
    for epoch in range(20):
        net.train()
        for x, y in train:
            opt.zero_grad()
            evidential_loss(net(x), y).backward()
            opt.step()
        net.eval()
        with torch.no_grad():
            x, y = next(iter(val))
            o = net(x)
            score = evidential_loss(o, y)
        plateau.step(score)
        if epoch % 5 == 4:
            rmse = (o.gamma - y).square().mean().sqrt()
            print(f"{epoch + 1:2d} nll {score:.3f} rmse {rmse:.3f} lr {opt.param_groups[0]['lr']:.1e}")
    with torch.no_grad():
        far = net(torch.tensor([[0.0], [7.0]], dtype=torch.float64))
        print("epistemic at 0 and at 7:", (far.beta / (far.nu * (far.alpha - 1))).flatten().tolist())


main()
