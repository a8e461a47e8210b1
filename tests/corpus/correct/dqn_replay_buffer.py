"""Deep Q-learning with a replay memory, a target network and soft updates."""
import math
import random
from collections import deque, namedtuple

import torch
import torch.nn as nn
import torch.optim as optim

Transition = namedtuple("Transition", ("state", "action", "next_state", "reward"))
random.seed(0)
torch.manual_seed(0)


class ReplayMemory:
    def __init__(self, capacity):
        self.memory = deque([], maxlen=capacity)

    def push(self, *args):
        self.memory.append(Transition(*args))

    def sample(self, batch_size):
        return random.sample(self.memory, batch_size)

    def __len__(self):
        return len(self.memory)


def make_net():
    return nn.Sequential(nn.Linear(2, 32), nn.ReLU(), nn.Linear(32, 3))


policy_net, target_net = make_net(), make_net()
target_net.load_state_dict(policy_net.state_dict())
optimizer = optim.AdamW(policy_net.parameters(), lr=1e-3, amsgrad=True)
memory = ReplayMemory(1000)
GAMMA, TAU, BATCH = 0.9, 0.05, 32
steps_done = 0


def select_action(state):
    global steps_done
    eps = 0.05 + 0.85 * math.exp(-steps_done / 150)
    steps_done += 1
    if random.random() > eps:
        with torch.no_grad():
            return policy_net(state).max(1).indices.view(1, 1)
    return torch.tensor([[random.randrange(3)]])


def optimize_model():
    if len(memory) < BATCH:
        return None
    batch = Transition(*zip(*memory.sample(BATCH)))
    mask = torch.tensor([s is not None for s in batch.next_state])
    next_states = torch.cat([s for s in batch.next_state if s is not None])
    q = policy_net(torch.cat(batch.state)).gather(1, torch.cat(batch.action))
    next_q = torch.zeros(BATCH)
    with torch.no_grad():
        next_q[mask] = target_net(next_states).max(1).values
    expected = next_q * GAMMA + torch.cat(batch.reward)
    loss = nn.SmoothL1Loss()(q, expected.unsqueeze(1))
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_value_(policy_net.parameters(), 100)
    optimizer.step()
    return loss.item()


for ep in range(15):
    state, total, loss = torch.randn(1, 2), 0.0, None
    for t in range(20):
        a = select_action(state)
        nxt = 0.9 * state + 0.3 * (a.item() - 1) * torch.tensor([[1.0, -1.0]])
        r = torch.tensor([-nxt.norm().item()])
        total += r.item()
        memory.push(state, a, None if t == 19 else nxt, r)
        state = nxt
        loss = optimize_model()
        for k, v in target_net.state_dict().items():
            v.copy_(TAU * policy_net.state_dict()[k] + (1 - TAU) * v)
    print(ep, round(total, 2), loss)
