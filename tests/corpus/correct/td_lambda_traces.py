"""TD(lambda) with eligibility traces kept by hand, after Sutton and Barto; per-step updates."""
import random

import torch
from torch import nn

GAMMA, LAM, ALPHA, STATES = 1.0, 0.8, 0.02, 19
random.seed(2)
torch.manual_seed(2)
features = torch.stack([torch.exp(-((torch.arange(STATES) - c) / 2.5) ** 2) for c in range(0, STATES, 3)], 1)
value = nn.Sequential(nn.Linear(features.size(1), 12), nn.Tanh(), nn.Linear(12, 1))


def episode():
    s, traces = STATES // 2, [torch.zeros_like(p) for p in value.parameters()]
    while True:
        nxt = s + random.choice((-1, 1))
        done = nxt < 0 or nxt >= STATES
        reward = 1.0 if nxt >= STATES else (-1.0 if nxt < 0 else 0.0)
        value.zero_grad()
        v = value(features[s]).squeeze()
        v.backward()
        with torch.no_grad():
            bootstrap = 0.0 if done else value(features[nxt]).item()
            delta = reward + GAMMA * bootstrap - v.item()
            for e, p in zip(traces, value.parameters()):
                e.mul_(GAMMA * LAM).add_(p.grad)
                p.add_(ALPHA * delta * e)
        if done:
            return
        s = nxt


truth = torch.linspace(-0.9, 0.9, STATES)
for n in range(100):
    episode()
    if n % 20 == 19:
        with torch.no_grad():
            rmse = (value(features).squeeze(1) - truth).pow(2).mean().sqrt().item()
        print(f"after {n + 1} episodes: RMSE {rmse:.3f}")
