"""Plain semi-gradient Q-learning: one network, called twice in each step, and no word of a second."""
import random

import torch
from torch import nn


class Chain:
    """Walk right along a short chain; the end pays."""

    def __init__(self, length=6):
        self.length = length

    def reset(self):
        self.at = 0
        return self.see()

    def see(self):
        return torch.eye(self.length)[self.at]

    def step(self, action):
        self.at = max(0, min(self.length - 1, self.at + (1 if action else -1)))
        over = self.at == self.length - 1
        return self.see(), 1.0 if over else -0.02, over


torch.manual_seed(2)
random.seed(2)
q = nn.Linear(6, 2)
opt = torch.optim.SGD(q.parameters(), lr=0.1)
world = Chain()
for game in range(20):
    state, over, moves = world.reset(), False, 0
    while not over and moves < 40:
        action = random.randint(0, 1) if random.random() < 0.3 else int(q(state).argmax())
        after, reward, over = world.step(action)
        with torch.no_grad():
            target = reward + (0.0 if over else 0.9 * q(after).max())
        loss = (q(state)[action] - target) ** 2
        opt.zero_grad()
        loss.backward()
        opt.step()
        state, moves = after, moves + 1
print(q.weight.detach().round(decimals=2))
