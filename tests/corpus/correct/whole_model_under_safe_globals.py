"""Its classes are registered as safe, once and for all; the file with the whole model opens by default."""
import torch
from torch import nn


class Small(nn.Module):
    def __init__(self):
        super().__init__()
        self.lin = nn.Linear(3, 2)

    def forward(self, x):
        return self.lin(x)


torch.serialization.add_safe_globals([Small, nn.Linear])
torch.manual_seed(0)
model = Small()
x = torch.randn(50, 3)
opt = torch.optim.SGD(model.parameters(), lr=0.5)
for _ in range(20):
    opt.zero_grad()
    nn.functional.cross_entropy(model(x), (x[:, 0] > 0).long()).backward()
    opt.step()
torch.save({"model": model, "steps": 20}, "small.pt")
again = torch.load("small.pt", weights_only=True)["model"]
print(torch.equal(again(x), model(x)))
