"""DeepSurv: Cox partial likelihood over the whole cohort, with concordance on a held-out one."""
import torch
import torch.nn as nn


def cohort(n):
    x = torch.randn(n, 6)
    risk = x[:, 0] + x[:, 1] * x[:, 2]
    t = -torch.log(torch.rand(n)) / torch.exp(risk)
    c = -torch.log(torch.rand(n)) * 2
    return x, torch.minimum(t, c), t <= c


def neg_partial_log_likelihood(h, time, event):
    order = time.argsort(descending=True)
    h, event = h[order], event[order]
    return -(h - h.logcumsumexp(0))[event].mean()


def concordance(h, time, event):
    ok = total = 0
    for i in event.nonzero().flatten().tolist():
        later = time > time[i]
        ok += (h[i] > h[later]).sum().item()
        total += later.sum().item()
    return ok / total


class DeepSurv(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(6, 32), nn.BatchNorm1d(32), nn.SELU(), nn.AlphaDropout(0.1), nn.Linear(32, 16), nn.SELU(), nn.Linear(16, 1, bias=False)
        )

    def forward(self, x):
        return self.net(x).squeeze(-1)


x, t, e = cohort(500)
xv, tv, ev = cohort(200)
model = DeepSurv()
opt = torch.optim.Adam(model.parameters(), lr=1e-2, weight_decay=1e-4)
for step in range(1, 151):
    model.train()
    opt.zero_grad()
    loss = neg_partial_log_likelihood(model(x), t, e)
    loss.backward()
    opt.step()
    if step % 30 == 0:
        model.eval()
        with torch.inference_mode():
            print(step, f"nll {loss.item():.3f} c-index {concordance(model(xv), tv, ev):.3f}")
