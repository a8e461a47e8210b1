"""A loss object that hides what it does to the scores."""
import torch
from torch import nn


class ProbabilityLoss(nn.Module):
    def __init__(self, smoothing=0.0):
        super().__init__()
        self.ce = nn.CrossEntropyLoss(label_smoothing=smoothing)

    def forward(self, scores, target):
        probs = torch.exp(scores) / torch.exp(scores).sum(dim=-1, keepdim=True)
        return self.ce(probs, target)


torch.manual_seed(0)
x = torch.randn(360, 10)
t = (x @ torch.randn(10, 4)).argmax(-1)
model = nn.Sequential(nn.Linear(10, 64), nn.GELU(), nn.Linear(64, 4))
loss_fn = ProbabilityLoss()
opt = torch.optim.AdamW(model.parameters(), lr=5e-3)
for epoch in range(6):
    for b in torch.randperm(300).split(30):
        opt.zero_grad(set_to_none=True)
        loss = loss_fn(model(x[b]), t[b])
        loss.backward()
        opt.step()
    with torch.inference_mode():
        acc = (model(x[300:]).argmax(-1) == t[300:]).float().mean()
    print(f"{epoch} {loss.item():.3f} {acc:.3f}")
