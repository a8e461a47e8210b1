"""A pocket Accelerator: prepare(), backward(), accumulate(), gather, on one CPU process."""
import contextlib, math
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class PreparedOptimizer:
    def __init__(self, opt, acc): self.opt, self.acc = opt, acc
    def step(self):
        if self.acc.sync: self.opt.step()
    def zero_grad(self):
        if self.acc.sync: self.opt.zero_grad()
    @property
    def param_groups(self): return self.opt.param_groups


class PreparedScheduler:
    def __init__(self, s, acc): self.s, self.acc = s, acc
    def step(self):
        if self.acc.sync: self.s.step()


class PocketAccelerator:
    def __init__(self, accumulation=1, device="cpu"):
        self.k, self.device, self.sync, self.count = accumulation, torch.device(device), True, 0

    def prepare(self, *things):
        out = []
        for t in things:
            if isinstance(t, nn.Module): t = t.to(self.device)
            elif isinstance(t, torch.optim.Optimizer): t = PreparedOptimizer(t, self)
            elif isinstance(t, torch.optim.lr_scheduler.LRScheduler): t = PreparedScheduler(t, self)
            elif isinstance(t, DataLoader): t = self._loader(t)
            out.append(t)
        return out

    def _loader(self, dl):
        acc = self

        class Placed:
            def __len__(self): return len(dl)
            def __iter__(self):
                for n, batch in enumerate(dl):
                    acc.last = n + 1 == len(dl)
                    yield tuple(t.to(acc.device) for t in batch)
        return Placed()

    @contextlib.contextmanager
    def accumulate(self, model):
        self.count += 1
        self.sync = self.count % self.k == 0 or self.last
        if self.last: self.count = 0
        yield

    def backward(self, loss): (loss / self.k).backward()
    def clip_grad_norm_(self, params, limit):
        if self.sync: nn.utils.clip_grad_norm_(params, limit)


def get_data(n, g):
    x = torch.randn(n, 12, generator=g)
    return TensorDataset(x, (x[:, :4].square().sum(1) > x[:, 4:8].square().sum(1)).long())


def main():
    torch.manual_seed(0)
    accelerator = PocketAccelerator(accumulation=4)
    g = torch.Generator().manual_seed(8)
    train_dl, eval_dl = DataLoader(get_data(1024, g), 16, shuffle=True), DataLoader(get_data(256, g), 64)
    model = nn.Sequential(nn.Linear(12, 64), nn.ReLU(), nn.Dropout(0.1), nn.Linear(64, 2))
    optimizer = torch.optim.AdamW(model.parameters(), lr=4e-3)
    updates = math.ceil(len(train_dl) / 4) * 8
    lr_scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda s: min(1, (s + 1) / 10) * max(0.0, 1 - s / updates))
    model, optimizer, train_dl, eval_dl, lr_scheduler = accelerator.prepare(model, optimizer, train_dl, eval_dl, lr_scheduler)
    for epoch in range(8):
        model.train()
        for x, y in train_dl:
            with accelerator.accumulate(model):
                loss = nn.functional.cross_entropy(model(x), y)
                accelerator.backward(loss)
                accelerator.clip_grad_norm_(model.parameters(), 1.0)
                optimizer.step()
                lr_scheduler.step()
                optimizer.zero_grad()
        model.eval()
        right = total = 0
        for x, y in eval_dl:
            with torch.no_grad():
                pred = model(x).argmax(dim=-1)
            right += (pred == y).sum().item()
            total += y.numel()
        print(f"epoch {epoch}: accuracy {right / total:.3f} lr {optimizer.param_groups[0]['lr']:.5f}")


if __name__ == "__main__":
    main()
