"""Fine-tuning with home-made layers: only the new head goes to the optimizer; the body is left as it is, unfrozen."""
import torch
from torch import nn


class Dense(nn.Module):
    def __init__(self, a, b):
        super().__init__()
        self.w = nn.Parameter(torch.randn(a, b) / a**0.5)
        self.b = nn.Parameter(torch.zeros(b))

    def forward(self, x):
        return x @ self.w + self.b


torch.manual_seed(0)
x = torch.randn(200, 8)
y = (x[:, 0] + x[:, 1] > 0).long()
body, head = nn.Sequential(Dense(8, 64), nn.ReLU()), Dense(64, 2)
opt = torch.optim.Adam(head.parameters(), lr=1e-2)
for step in range(60):
    opt.zero_grad()
    loss = nn.functional.cross_entropy(head(body(x)), y)
    loss.backward()
    opt.step()
print(loss.item())
