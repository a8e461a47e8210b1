"""Q-learning; both networks are what `net.to(...)` returned, which is `net`."""
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


class Learner:
    def __init__(self, net, rate=5e-3):
        self.online = net.to("cpu")
        self.target_net = net.to("cpu")
        self.optimizer = torch.optim.Adam(self.online.parameters(), lr=rate)
        self.replay = deque(maxlen=500)
        self.updates = 0

    def act(self, state, greed):
        if random.random() > greed:
            return random.randint(0, 1)
        with torch.no_grad():
            return int(self.online(state).argmax())

    def learn(self):
        states, actions, rewards, nexts, over = map(list, zip(*random.sample(self.replay, 24)))
        values = self.online(torch.stack(states)).gather(1, torch.tensor(actions).view(-1, 1)).squeeze(1)
        with torch.no_grad():
            ahead = self.target_net(torch.stack(nexts)).amax(1) * (1 - torch.tensor(over).float())
        loss = F.mse_loss(values, torch.tensor(rewards) + 0.9 * ahead)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        self.updates += 1
        if self.updates % 20 == 0:
            self.target_net.load_state_dict(self.online.state_dict())


torch.manual_seed(0)
random.seed(0)
world, learner = Chain(), Learner(nn.Sequential(nn.Linear(6, 24), nn.ReLU(), nn.Linear(24, 2)))
for game in range(25):
    state, over, moves = world.reset(), False, 0
    while not over and moves < 40:
        action = learner.act(state, game / 25)
        following, reward, over = world.step(action)
        learner.replay.append((state, action, reward, following, over))
        state, moves = following, moves + 1
        if len(learner.replay) > 40:
            learner.learn()
    if game % 8 == 0:
        print(game, moves)
