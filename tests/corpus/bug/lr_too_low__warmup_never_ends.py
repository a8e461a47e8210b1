"""Set transformer for the maximum of a set; warm-up copied from a large-model recipe."""
import torch
import torch.nn as nn

RECIPE = dict(lr=3e-4, warmup_steps=40_000, batch=64, steps=200, width=32)


class MAB(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.att = nn.MultiheadAttention(d, 4, batch_first=True)
        self.ff, self.n1, self.n2 = nn.Sequential(nn.Linear(d, d), nn.ReLU()), nn.LayerNorm(d), nn.LayerNorm(d)

    def forward(self, x, y):
        h = self.n1(x + self.att(x, y, y, need_weights=False)[0])
        return self.n2(h + self.ff(h))


class SetTransformer(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.lift, self.sab, self.pma = nn.Linear(1, d), MAB(d), MAB(d)
        self.seed = nn.Parameter(torch.randn(1, 1, d) * 0.2)
        self.out = nn.Linear(d, 1)

    def forward(self, x):
        h = self.lift(x.unsqueeze(-1))
        h = self.sab(h, h)
        return self.out(self.pma(self.seed.expand(len(x), -1, -1), h)).flatten()


def draw(n):
    x = torch.rand(n, 7) * 10
    return x, x.max(1).values


def main():
    torch.manual_seed(0)
    model = SetTransformer(RECIPE["width"])
    opt = torch.optim.AdamW(model.parameters(), lr=RECIPE["lr"])
    warmup = torch.optim.lr_scheduler.LambdaLR(opt, lambda s: min(1.0, (s + 1) / RECIPE["warmup_steps"]))
    test_x, test_y = draw(256)
    for step in range(RECIPE["steps"]):
        x, y = draw(RECIPE["batch"])
        loss = nn.functional.l1_loss(model(x), y)
        opt.zero_grad()
        loss.backward()
        opt.step()
        warmup.step()
        if step % 40 == 39:
            with torch.no_grad():
                print(f"step {step + 1} loss {loss.item():.3f} test {nn.functional.l1_loss(model(test_x), test_y).item():.3f} lr {opt.param_groups[0]['lr']:.1e}")


main()
