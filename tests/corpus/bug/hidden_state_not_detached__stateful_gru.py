"""Stateful GRU over a long signal: the state is handed to the next window with its history."""
import torch
from torch import nn

signal = torch.sin(torch.arange(0, 120, 0.1)) + 0.1 * torch.randn(1200)
windows = signal.view(4, 300, 1)


class Forecaster(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru, self.fc = nn.GRU(1, 16, batch_first=True), nn.Linear(16, 1)

    def forward(self, x, h):
        out, h = self.gru(x, h)
        return self.fc(out), h


model = Forecaster()
opt = torch.optim.Adam(model.parameters(), lr=1e-2)
for epoch in range(3):
    h = torch.zeros(1, 4, 16)
    for t in range(0, 280, 20):
        pred, h = model(windows[:, t : t + 20], h)
        loss = nn.functional.mse_loss(pred, windows[:, t + 1 : t + 21])
        opt.zero_grad()
        loss.backward()
        opt.step()
    print(epoch, loss.item())
