"""A small generator learns to match features of a fixed random network, whose weights nobody froze."""
import torch
from torch import nn

torch.manual_seed(0)
judge = nn.Sequential(nn.Conv1d(1, 8, 5, padding=2), nn.ReLU(), nn.Conv1d(8, 8, 5, padding=2))
wave = torch.sin(torch.linspace(0, 12, 64)).view(1, 1, 64)
maker = nn.Sequential(nn.Linear(4, 32), nn.Tanh(), nn.Linear(32, 64))
code = torch.randn(1, 4)
opt = torch.optim.Adam(maker.parameters(), lr=1e-2)
with torch.no_grad():
    wanted = judge(wave)
for step in range(80):
    made = maker(code).view(1, 1, 64)
    loss = nn.functional.mse_loss(judge(made), wanted)
    opt.zero_grad()
    loss.backward()
    opt.step()
print(loss.item())
