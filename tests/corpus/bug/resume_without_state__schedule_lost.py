"""Trainer with save and load: the schedule starts over at the full rate."""
import torch
from torch import nn


class Run:
    def __init__(self):
        self.net = nn.Sequential(nn.Linear(4, 32), nn.Tanh(), nn.Linear(32, 2))
        self.opt = torch.optim.SGD(self.net.parameters(), lr=0.2, momentum=0.9)
        self.plan = torch.optim.lr_scheduler.CosineAnnealingLR(self.opt, T_max=8)
        self.done = 0

    def save(self, path):
        torch.save({"net": self.net.state_dict(), "done": self.done, "rng": torch.get_rng_state()}, path)

    @classmethod
    def load(cls, path):
        run = cls()
        state = torch.load(path, weights_only=True)
        run.net.load_state_dict(state["net"])
        run.done = state["done"]
        torch.set_rng_state(state["rng"])
        return run

    def go(self, x, y, until):
        while self.done < until:
            for i in torch.randperm(len(x)).split(20):
                self.opt.zero_grad()
                loss = nn.functional.cross_entropy(self.net(x[i]), y[i])
                loss.backward()
                self.opt.step()
            self.plan.step()
            self.done += 1
            print(self.done, f"{loss.item():.4f}", f"lr {self.plan.get_last_lr()[0]:.4f}")
        return self


torch.manual_seed(0)
x = torch.randn(200, 4)
y = (x[:, 0] > x[:, 1] * x[:, 2]).long()
Run().go(x, y, 4).save("run.pt")
Run.load("run.pt").go(x, y, 8)
