"""Actor and critic with one body and two heads, on a two-state toy world."""
from collections import namedtuple

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.distributions import Categorical

SavedAction = namedtuple('SavedAction', ['log_prob', 'value'])
torch.manual_seed(0)


class ActorCritic(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Linear(2, 24)
        self.action_head = nn.Linear(24, 2)
        self.value_head = nn.Linear(24, 1)
        self.saved = []
        self.rewards = []

    def forward(self, x):
        x = F.relu(self.body(x))
        return F.softmax(self.action_head(x), dim=-1), self.value_head(x)


model = ActorCritic()
optimizer = torch.optim.Adam(model.parameters(), lr=2e-2)
for episode in range(50):
    state = int(torch.randint(2, ()))
    for _ in range(10):
        probs, value = model(F.one_hot(torch.tensor(state), 2).float())
        m = Categorical(probs)
        a = m.sample()
        model.saved.append(SavedAction(m.log_prob(a), value))
        model.rewards.append(1.0 if a.item() == state else 0.0)
        state = int(torch.randint(2, ()))
    R, returns = 0, []
    for r in reversed(model.rewards):
        R = r + 0.5 * R
        returns.insert(0, R)
    returns = torch.tensor(returns)
    policy_losses, value_losses = [], []
    for (log_prob, value), R in zip(model.saved, returns):
        advantage = R - value.item()
        policy_losses.append(-log_prob * advantage)
        value_losses.append(F.smooth_l1_loss(value, torch.tensor([R])))
    optimizer.zero_grad()
    loss = torch.stack(policy_losses).sum() + torch.stack(value_losses).sum()
    loss.backward()
    optimizer.step()
    if episode % 10 == 0:
        print(episode, sum(model.rewards))
    model.rewards.clear()
    model.saved.clear()
