"""TD learning of a value function on random walks: the target is (B,), the value (B, 1)."""
import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(4)
STATES, GAMMA = 9, 0.9


def walk(batch):
    s = torch.randint(1, STATES - 1, (batch,))
    nxt = s + torch.where(torch.rand(batch) < 0.5, -1, 1)
    return s, nxt, (nxt == STATES - 1).float(), (nxt == 0) | (nxt == STATES - 1)


class Value(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(STATES, 32), nn.ReLU(), nn.Linear(32, 1))

    def forward(self, s):
        return self.body(F.one_hot(s, STATES).float())


critic = Value()
optimizer = torch.optim.Adam(critic.parameters(), lr=5e-3)
for it in range(400):
    s, nxt, r, done = walk(64)
    with torch.no_grad():
        target = r + GAMMA * critic(nxt).squeeze(-1) * (~done).float()
    value = critic(s)
    value_loss = (value - target).pow(2).mean()
    optimizer.zero_grad()
    value_loss.backward()
    optimizer.step()
    if it % 100 == 0:
        print(it, value_loss.item())
with torch.no_grad():
    print("values", critic(torch.arange(STATES)).squeeze().tolist())
