"""Three quantiles of a noisy demand curve with the pinball loss."""
from dataclasses import dataclass, field
from typing import List

import torch
from torch import Tensor, nn
from torch.optim import NAdam
from torch.utils.data import DataLoader, Dataset


@dataclass
class Config:
    quantiles: List[float] = field(default_factory=lambda: [0.1, 0.5, 0.9])
    hidden: int = 48
    epochs: int = 12
    batch_size: int = 50
    lr: float = 5e-3


class Demand(Dataset):
    def __init__(self, n: int, generator: torch.Generator) -> None:
        self.t = torch.rand(n, 1, generator=generator) * 6
        noise = torch.randn(n, 1, generator=generator) * (0.1 + 0.15 * self.t)
        self.d = torch.sin(self.t) * 2 + noise

    def __len__(self) -> int:
        return self.t.size(0)

    def __getitem__(self, i: int):
        return {"time": self.t[i], "demand": self.d[i]}


class PinballLoss(nn.Module):
    def __init__(self, quantiles: List[float]) -> None:
        super().__init__()
        self.register_buffer("q", torch.tensor(quantiles))

    def forward(self, pred: Tensor, target: Tensor) -> Tensor:
        err = target - pred  # (B, 1) - (B, Q): one error per quantile
        return torch.maximum(self.q * err, (self.q - 1) * err).sum(1).mean()


class QuantileNet(nn.Module):
    def __init__(self, cfg: Config) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(1, cfg.hidden), nn.Tanh(), nn.Linear(cfg.hidden, cfg.hidden), nn.Tanh())
        self.heads = nn.ModuleList(nn.Linear(cfg.hidden, 1) for _ in cfg.quantiles)

    def forward(self, x: Tensor) -> Tensor:
        h = self.body(x / 3 - 1)
        return torch.cat([head(h) for head in self.heads], dim=1)


class Trainer:
    def __init__(self, cfg: Config) -> None:
        g = torch.Generator().manual_seed(11)
        torch.manual_seed(11)
        self.cfg = cfg
        self.train_dl = DataLoader(Demand(1000, g), cfg.batch_size, shuffle=True)
        self.val = Demand(300, g)
        self.net, self.crit = QuantileNet(cfg), PinballLoss(cfg.quantiles)
        self.opt = NAdam(self.net.parameters(), lr=cfg.lr)

    def fit(self) -> None:
        for epoch in range(self.cfg.epochs):
            for batch in self.train_dl:
                self.opt.zero_grad(set_to_none=True)
                self.crit(self.net(batch["time"]), batch["demand"]).backward()
                self.opt.step()
            loss, cover = self.validate()
            print(f"[{epoch:02d}] pinball={loss:.4f} coverage of the 80% band={cover:.2%}")

    @torch.inference_mode()
    def validate(self):
        pred = self.net(self.val.t)
        inside = (self.val.d >= pred[:, :1]) & (self.val.d <= pred[:, -1:])
        return self.crit(pred, self.val.d).item(), inside.float().mean().item()


if __name__ == "__main__":
    Trainer(Config()).fit()
