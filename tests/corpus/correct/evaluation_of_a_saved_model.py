"""Nothing is trained here: model and optimizer are built as in training, filled from a file, and the test set is scored."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def build():
    net = nn.Sequential(nn.Linear(6, 24), nn.BatchNorm1d(24), nn.ReLU(), nn.Dropout(0.3), nn.Linear(24, 2))
    return net, torch.optim.Adam(net.parameters(), lr=1e-3)


torch.manual_seed(0)
net, opt = build()
torch.save({"net": net.state_dict(), "opt": opt.state_dict()}, "run.pt")
net, opt = build()
kept = torch.load("run.pt")
net.load_state_dict(kept["net"])
opt.load_state_dict(kept["opt"])
x, y = torch.randn(120, 6), torch.randint(0, 2, (120,))
net.eval()
loss = right = 0.0
with torch.no_grad():
    for a, b in DataLoader(TensorDataset(x, y), 30):
        out = net(a)
        loss += nn.functional.cross_entropy(out, b, reduction="sum").item()
        right += (out.argmax(1) == b).sum().item()
print(loss / 120, right / 120)
