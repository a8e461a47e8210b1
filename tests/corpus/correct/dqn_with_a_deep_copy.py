"""Q-learning with a target network that is a copy and is renewed every 20 updates."""
import copy
import random
from collections import deque

import torch
from torch import nn
import torch.nn.functional as F


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


torch.manual_seed(0)
random.seed(0)
online = nn.Sequential(nn.Linear(6, 24), nn.ReLU(), nn.Linear(24, 2))
target = copy.deepcopy(online)
optimizer = torch.optim.Adam(online.parameters(), lr=5e-3)
replay, world, updates = deque(maxlen=500), Chain(), 0
for game in range(25):
    state, over, moves = world.reset(), False, 0
    while not over and moves < 40:
        action = random.randint(0, 1) if random.random() > game / 25 else int(online(state).argmax())
        following, reward, over = world.step(action)
        replay.append((state, action, reward, following, over))
        state, moves = following, moves + 1
        if len(replay) > 40:
            s, a, r, n, d = map(list, zip(*random.sample(replay, 24)))
            values = online(torch.stack(s)).gather(1, torch.tensor(a).view(-1, 1)).squeeze(1)
            with torch.no_grad():
                ahead = target(torch.stack(n)).amax(1) * (1 - torch.tensor(d).float())
            loss = F.mse_loss(values, torch.tensor(r) + 0.9 * ahead)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            updates += 1
            if updates % 20 == 0:
                target.load_state_dict(online.state_dict())
    if game % 8 == 0:
        print(game, moves)
