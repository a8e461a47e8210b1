import tempfile, pathlib
import torch
from torch import nn
class Reg(nn.Module):
    def __init__(self):
        super().__init__()
        self.l = nn.Linear(3, 1)
    def forward(self, x):
        return self.l(x)
torch.manual_seed(0)
path = pathlib.Path(tempfile.mkdtemp()) / "model.pth"
X = torch.randn(100, 3); y = X.sum(1, keepdim=True)
m = Reg()
opt = torch.optim.SGD(m.parameters(), lr=0.1)
for i in range(30):
    opt.zero_grad()
    loss = nn.functional.mse_loss(m(X), y)
    loss.backward()
    opt.step()
torch.save(m, path)
print("saved model to", path.name)
