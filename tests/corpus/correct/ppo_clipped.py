"""Clipped policy gradient with several epochs over a rollout kept without graph."""
import torch
from torch import nn
from torch.distributions import Categorical

torch.manual_seed(0)
pi = nn.Sequential(nn.Linear(4, 32), nn.Tanh(), nn.Linear(32, 3))
vf = nn.Sequential(nn.Linear(4, 32), nn.Tanh(), nn.Linear(32, 1))
opt = torch.optim.Adam([*pi.parameters(), *vf.parameters()], lr=5e-3)
goal = torch.randn(4, 3)
for it in range(12):
    with torch.no_grad():
        s = torch.randn(256, 4)
        d = Categorical(logits=pi(s))
        a = d.sample()
        old = d.log_prob(a)
        r = (a == (s @ goal).argmax(1)).float()
        adv = r - vf(s).squeeze(1)
        adv = (adv - adv.mean()) / (adv.std() + 1e-8)
    for _ in range(4):
        for mb in torch.randperm(256).split(64):
            d = Categorical(logits=pi(s[mb]))
            ratio = (d.log_prob(a[mb]) - old[mb]).exp()
            policy = -torch.min(ratio * adv[mb], ratio.clamp(0.8, 1.2) * adv[mb]).mean()
            value = (vf(s[mb]).squeeze(1) - r[mb]).pow(2).mean()
            loss = policy + 0.5 * value - 0.01 * d.entropy().mean()
            opt.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_([*pi.parameters(), *vf.parameters()], 0.5)
            opt.step()
    if it % 4 == 0:
        print(it, "mean reward", r.mean().item())
