import math
import random
from collections import deque, namedtuple

import torch
import torch.nn as nn
import torch.optim as optim

Transition = namedtuple("Transition", ("state", "action", "next_state", "reward"))
SIZE, GOAL = 5, (4, 4)
BATCH_SIZE, GAMMA, TAU, LR = 64, 0.95, 0.01, 2e-3


class Grid:
    def reset(self):
        self.pos, self.t = (0, 0), 0
        return self.obs()

    def obs(self):
        x = torch.zeros(2 * SIZE)
        x[self.pos[0]] = 1
        x[SIZE + self.pos[1]] = 1
        return x.unsqueeze(0)

    def step(self, a):
        dx, dy = [(0, 1), (1, 0), (0, -1), (-1, 0)][a]
        self.pos = (min(max(self.pos[0] + dx, 0), SIZE - 1), min(max(self.pos[1] + dy, 0), SIZE - 1))
        self.t += 1
        done = self.pos == GOAL
        return self.obs(), 1.0 if done else -0.02, done, self.t >= 30


class ReplayMemory:
    def __init__(self, capacity):
        self.memory = deque([], maxlen=capacity)

    def push(self, *args):
        self.memory.append(Transition(*args))

    def sample(self, batch_size):
        return random.sample(self.memory, batch_size)

    def __len__(self):
        return len(self.memory)


class DQN(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer1 = nn.Linear(2 * SIZE, 64)
        self.value, self.advantage = nn.Linear(64, 1), nn.Linear(64, 4)

    def forward(self, x):
        h = torch.relu(self.layer1(x))
        adv = self.advantage(h)
        return self.value(h) + adv - adv.mean(1, keepdim=True)


policy_net, target_net = DQN(), DQN()
target_net.load_state_dict(policy_net.state_dict())
optimizer = optim.AdamW(policy_net.parameters(), lr=LR, amsgrad=True)
memory, env, steps_done = ReplayMemory(5000), Grid(), 0


def select_action(state):
    global steps_done
    eps = 0.05 + 0.85 * math.exp(-steps_done / 400)
    steps_done += 1
    if random.random() > eps:
        with torch.no_grad():
            return policy_net(state).max(1).indices.view(1, 1)
    return torch.tensor([[random.randrange(4)]])


def optimize_model():
    if len(memory) < BATCH_SIZE:
        return
    batch = Transition(*zip(*memory.sample(BATCH_SIZE)))
    mask = torch.tensor([s is not None for s in batch.next_state])
    non_final = torch.cat([s for s in batch.next_state if s is not None])
    q = policy_net(torch.cat(batch.state)).gather(1, torch.cat(batch.action))
    next_values = torch.zeros(BATCH_SIZE)
    with torch.no_grad():
        best = policy_net(non_final).argmax(1, keepdim=True)
        next_values[mask] = target_net(non_final).gather(1, best).squeeze(1)
    expected = next_values * GAMMA + torch.tensor(batch.reward)
    loss = nn.SmoothL1Loss()(q, expected.unsqueeze(1))
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_value_(policy_net.parameters(), 100)
    optimizer.step()


for episode in range(80):
    state, total = env.reset(), 0.0
    while True:
        action = select_action(state)
        nxt, reward, done, timeout = env.step(action.item())
        total += reward
        memory.push(state, action, None if done else nxt, reward)
        state = nxt
        optimize_model()
        with torch.no_grad():
            for t, p in zip(target_net.parameters(), policy_net.parameters()):
                t.lerp_(p, TAU)
        if done or timeout:
            break
    if episode % 16 == 15:
        print(f"episode {episode + 1}: return {total:.2f} after {env.t} steps")
