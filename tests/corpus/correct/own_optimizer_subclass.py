"""A subclass of torch.optim.Optimizer (signSGD) with closure support."""
import torch
from torch.optim.optimizer import Optimizer


class SignSGD(Optimizer):
    def __init__(self, params, lr=1e-2, momentum=0.9):
        super().__init__(params, dict(lr=lr, momentum=momentum))

    @torch.no_grad()
    def step(self, closure=None):
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if "m" not in state:
                    state["m"] = torch.zeros_like(p)
                state["m"].mul_(group["momentum"]).add_(p.grad, alpha=1 - group["momentum"])
                p.add_(state["m"].sign(), alpha=-group["lr"])
        return loss


if __name__ == "__main__":
    torch.manual_seed(0)
    a = torch.randn(300, 8)
    b = (a @ torch.randn(8, 4)).argmax(dim=1)
    model = torch.nn.Sequential(torch.nn.Linear(8, 32), torch.nn.LeakyReLU(), torch.nn.Linear(32, 4))
    optim = SignSGD(model.parameters(), lr=3e-3)
    for epoch in range(8):
        for rows in torch.utils.data.BatchSampler(torch.utils.data.RandomSampler(range(300)), 30, False):
            optim.zero_grad()
            loss = torch.nn.functional.cross_entropy(model(a[rows]), b[rows])
            loss.backward()
            optim.step()
        print(epoch, loss.item())
