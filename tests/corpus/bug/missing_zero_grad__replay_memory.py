"""Q-learning from a memory; the optimisation step lost its first line."""
import random

import torch
from torch import nn

random.seed(0)
torch.manual_seed(0)
policy, target = (nn.Sequential(nn.Linear(2, 24), nn.ReLU(), nn.Linear(24, 2)) for _ in range(2))
target.load_state_dict(policy.state_dict())
opt = torch.optim.AdamW(policy.parameters(), 1e-3)
memory = []


def optimize_model(n=32):
    s, a, r, s2 = (torch.stack(t) for t in zip(*random.sample(memory, n)))
    q = policy(s).gather(1, a[:, None]).squeeze(1)
    with torch.no_grad():
        y = r + 0.9 * target(s2).max(1).values
    loss = nn.functional.smooth_l1_loss(q, y)
    loss.backward()
    nn.utils.clip_grad_value_(policy.parameters(), 100)
    opt.step()
    return loss.item()


s = torch.randn(2)
for t in range(250):
    with torch.no_grad():
        a = policy(s).argmax() if random.random() > 0.2 else torch.tensor(random.randrange(2))
    s2 = 0.9 * s + 0.2 * (2 * a.float() - 1)
    memory.append((s, a, -s2.abs().sum(), s2))
    s = s2 if t % 20 else torch.randn(2)
    if len(memory) >= 64:
        loss = optimize_model()
        if t % 50 == 0:
            target.load_state_dict(policy.state_dict())
            print(t, loss)
