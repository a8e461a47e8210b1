"""Deep Q-learning with replay memory and a slowly moving target, on a corridor."""
import math
import random
from collections import deque, namedtuple

import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim

random.seed(3)
torch.manual_seed(3)
Transition = namedtuple("Transition", ("state", "action", "next_state", "reward"))
BATCH_SIZE, GAMMA, TAU, LR, LENGTH = 32, 0.95, 0.01, 1e-3, 6


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
    def __init__(self, n_observations, n_actions):
        super().__init__()
        self.layer1 = nn.Linear(n_observations, 32)
        self.layer2 = nn.Linear(32, 32)
        self.layer3 = nn.Linear(32, n_actions)

    def forward(self, x):
        return self.layer3(F.relu(self.layer2(F.relu(self.layer1(x)))))


class Corridor:
    def reset(self):
        self.at = LENGTH // 2
        return self.state()

    def state(self):
        return torch.eye(LENGTH)[self.at]

    def step(self, action):
        self.at += 1 if action else -1
        if self.at < 0:
            return None, -1.0
        if self.at >= LENGTH:
            return None, 1.0
        return self.state(), -0.01


policy_net, target_net = DQN(LENGTH, 2), DQN(LENGTH, 2)
target_net.load_state_dict(policy_net.state_dict())
optimizer = optim.AdamW(policy_net.parameters(), lr=LR, amsgrad=True)
memory, env, steps_done = ReplayMemory(1000), Corridor(), 0


def select_action(state):
    global steps_done
    eps = 0.05 + 0.85 * math.exp(-steps_done / 100)
    steps_done += 1
    if random.random() > eps:
        with torch.no_grad():
            return policy_net(state.unsqueeze(0)).max(1).indices.view(1, 1)
    return torch.tensor([[random.randrange(2)]], dtype=torch.long)


def optimize_model():
    if len(memory) < BATCH_SIZE:
        return
    batch = Transition(*zip(*memory.sample(BATCH_SIZE)))
    non_final_mask = torch.tensor([s is not None for s in batch.next_state], dtype=torch.bool)
    non_final = [s for s in batch.next_state if s is not None]
    state_batch, action_batch = torch.stack(batch.state), torch.cat(batch.action)
    reward_batch = torch.tensor(batch.reward)
    state_action_values = policy_net(state_batch).gather(1, action_batch)
    next_state_values = torch.zeros(BATCH_SIZE)
    with torch.no_grad():
        if non_final:
            next_state_values[non_final_mask] = target_net(torch.stack(non_final)).max(1).values
    expected = (next_state_values * GAMMA) + reward_batch
    loss = nn.SmoothL1Loss()(state_action_values, expected.unsqueeze(1))
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_value_(policy_net.parameters(), 100)
    optimizer.step()


durations = []
for i_episode in range(40):
    state = env.reset()
    for t in range(30):
        action = select_action(state)
        next_state, reward = env.step(action.item())
        memory.push(state, action, next_state, reward)
        state = next_state
        optimize_model()
        target, policy = target_net.state_dict(), policy_net.state_dict()
        for key in policy:
            target[key] = policy[key] * TAU + target[key] * (1 - TAU)
        target_net.load_state_dict(target)
        if state is None:
            break
    durations.append(t + 1)
print("mean duration of the last ten episodes:", sum(durations[-10:]) / 10)
