"""DQN in one function; the target is a shallow copy, whose layers are the policy's own."""
import copy
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


def main():
    torch.manual_seed(1)
    random.seed(1)
    world = Chain(5)
    policy_net = nn.Sequential(nn.Linear(5, 16), nn.Tanh(), nn.Linear(16, 2))
    target_net = copy.copy(policy_net)
    sgd = torch.optim.RMSprop(policy_net.parameters(), lr=3e-3)
    memory = []
    for episode in range(20):
        state, over = world.reset(), False
        for _ in range(30):
            action = random.randrange(2) if random.random() < 0.4 else policy_net(state).argmax().item()
            after, reward, over = world.step(action)
            memory.append((state, action, reward, after, over))
            state = after
            if len(memory) >= 32:
                batch = random.sample(memory, 16)
                s = torch.stack([b[0] for b in batch])
                n = torch.stack([b[3] for b in batch])
                a = torch.tensor([b[1] for b in batch])
                r = torch.tensor([b[2] for b in batch])
                d = torch.tensor([float(b[4]) for b in batch])
                goal = r + 0.95 * target_net(n).max(1).values.detach() * (1 - d)
                loss = nn.functional.smooth_l1_loss(policy_net(s)[torch.arange(16), a], goal)
                sgd.zero_grad()
                loss.backward()
                sgd.step()
            if over:
                break
        if episode % 5 == 4:
            for theirs, ours in zip(target_net.parameters(), policy_net.parameters()):
                theirs.data.copy_(0.1 * ours.data + 0.9 * theirs.data)
            print(episode, len(memory))


main()
