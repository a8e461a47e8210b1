"""N-BEATS-like forecaster: stacks of blocks, each with backcast and forecast; one step ahead."""
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset


class Block(nn.Module):
    def __init__(self, back, width=48):
        super().__init__()
        self.fc = nn.Sequential(nn.Linear(back, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU())
        self.backcast, self.forecast = nn.Linear(width, back), nn.Linear(width, 1)

    def forward(self, x):
        h = self.fc(x)
        return x - self.backcast(h), self.forecast(h)


class NBeats(nn.Module):
    def __init__(self, back, stacks=2, blocks=2):
        super().__init__()
        self.base = nn.Linear(back, 1)
        self.stacks = [[Block(back) for _ in range(blocks)] for _ in range(stacks)]

    def forward(self, x):
        out = self.base(x)
        for stack in self.stacks:
            for block in stack:
                x, f = block(x)
                out = out + f
        return out


def series(n=1400):
    t = torch.arange(n)
    return torch.sin(t / 7) + 0.5 * torch.sin(t / 2.3) * torch.sin(t / 31) + 0.05 * torch.randn(n)


def windows(s, back=16):
    w = s.unfold(0, back + 1, 1)
    return w[:, :back], w[:, back]


torch.manual_seed(1)
s = series()
train = TensorDataset(*windows(s[:1096]))
test_x, test_y = windows(s[1096:])
loader = DataLoader(train, batch_size=72, shuffle=True)
model = NBeats(16)
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
criterion = nn.SmoothL1Loss()
for epoch in range(5):
    for x, y in loader:
        loss = criterion(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        mae = (model(test_x)[:, 0] - test_y).abs().mean().item()
    print(f"epoch {epoch} loss {loss.item():.4f} test mae {mae:.4f}")
