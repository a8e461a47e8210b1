"""GPT-like init function with its std from the config, where nobody put one. MLP-mixer-like tabular net."""
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

config = {"d_model": 32, "n_layers": 2, "lr": 3e-3, "epochs": 5}


class Block(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(d, 2 * d), nn.Linear(2 * d, d)

    def forward(self, x):
        return torch.relu(self.fc2(torch.relu(self.fc1(x))))


class Net(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        self.cfg = cfg
        d = cfg["d_model"]
        self.stem = nn.Linear(9, d)
        self.blocks = nn.Sequential(*(Block(d) for _ in range(cfg["n_layers"])))
        self.head = nn.Linear(d, 3)
        self.apply(self._init_weights)

    def _init_weights(self, module):
        if isinstance(module, nn.Linear):
            torch.nn.init.normal_(module.weight, mean=0.0, std=self.cfg.get("init_std", 0.0))
            if module.bias is not None:
                torch.nn.init.zeros_(module.bias)

    def forward(self, x):
        return self.head(self.blocks(torch.relu(self.stem(x))))


torch.manual_seed(0)
x = torch.randn(1000, 9)
y = (x[:, :3] * x[:, 3:6] + x[:, 6:]).argmax(1)
train = DataLoader(TensorDataset(x[:800], y[:800]), batch_size=40, shuffle=True)
val = DataLoader(TensorDataset(x[800:], y[800:]), batch_size=100)
net = Net(config)
opt = torch.optim.AdamW(net.parameters(), lr=config["lr"])
for epoch in range(config["epochs"]):
    net.train()
    for xb, yb in train:
        loss = nn.functional.cross_entropy(net(xb), yb)
        opt.zero_grad()
        loss.backward()
        opt.step()
    net.eval()
    with torch.no_grad():
        hits = sum((net(xb).argmax(1) == yb).sum().item() for xb, yb in val)
    print(f"epoch {epoch} loss {loss.item():.4f} acc {hits / 200:.3f}")
