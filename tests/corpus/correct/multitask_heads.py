"""A shared trunk with a class head and a regression head; losses are weighted and summed."""
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Shapes(Dataset):
    """(features, kind, size) rows, as dictionaries."""

    def __init__(self, n, seed):
        g = torch.Generator().manual_seed(seed)
        self.x = torch.randn(n, 9, generator=g)
        self.kind = (self.x[:, :3]).argmax(1)
        self.size = self.x[:, 3:6].abs().sum(1)

    def __len__(self):
        return len(self.x)

    def __getitem__(self, i):
        return {"x": self.x[i], "kind": self.kind[i], "size": self.size[i]}


class TwoHeads(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(9, 64), nn.ReLU())
        self.heads = nn.ModuleDict({"kind": nn.Linear(64, 3), "size": nn.Linear(64, 1)})

    def forward(self, x):
        h = self.trunk(x)
        return {k: head(h) for k, head in self.heads.items()}


torch.manual_seed(0)
train, test = DataLoader(Shapes(480, 0), 48, shuffle=True), DataLoader(Shapes(120, 1), 120)
net = TwoHeads()
opt = torch.optim.Adam(net.parameters(), lr=5e-3)
ce, mse = nn.CrossEntropyLoss(), nn.MSELoss()
for epoch in range(5):
    net.train()
    sums = torch.zeros(2)
    for b in train:
        out = net(b["x"])
        l_kind = ce(out["kind"], b["kind"])
        l_size = mse(out["size"].squeeze(-1), b["size"])
        total = l_kind + 0.5 * l_size
        opt.zero_grad()
        total.backward()
        opt.step()
        sums += torch.tensor([l_kind.item(), l_size.item()]) * len(b["x"])
    net.eval()
    with torch.no_grad():
        b = next(iter(test))
        out = net(b["x"])
        acc = (out["kind"].argmax(1) == b["kind"]).float().mean()
    print(epoch, (sums / 480).tolist(), "kind accuracy", acc.item())
