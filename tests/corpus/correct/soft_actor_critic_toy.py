"""Two critics, targets by Polyak averaging, an entropy weight with its own optimizer; critics frozen for the actor."""
from copy import deepcopy
from itertools import chain

import torch
import torch.nn.functional as F
from torch import nn
from torch.distributions import Normal

torch.manual_seed(0)


class Q(nn.Module):
    def __init__(self):
        super().__init__()
        self.q = nn.Sequential(nn.Linear(3, 32), nn.ReLU(), nn.Linear(32, 1))

    def forward(self, s, a):
        return self.q(torch.cat([s, a], -1)).squeeze(-1)


class Actor(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(2, 32), nn.ReLU())
        self.mu, self.log_std = nn.Linear(32, 1), nn.Linear(32, 1)

    def forward(self, s):
        h = self.net(s)
        d = Normal(self.mu(h), self.log_std(h).clamp(-5, 1).exp())
        u = d.rsample()
        logp = d.log_prob(u).sum(-1) - (2 * (0.693 - u - F.softplus(-2 * u))).sum(-1)
        return torch.tanh(u), logp


actor, q1, q2 = Actor(), Q(), Q()
t1, t2 = deepcopy(q1), deepcopy(q2)
for p in chain(t1.parameters(), t2.parameters()):
    p.requires_grad = False
log_alpha = torch.zeros(1, requires_grad=True)
pi_opt = torch.optim.Adam(actor.parameters(), 2e-3)
q_opt = torch.optim.Adam(chain(q1.parameters(), q2.parameters()), 2e-3)
a_opt = torch.optim.Adam([log_alpha], 2e-3)
buf = []
s = torch.randn(2)
for t in range(400):
    with torch.no_grad():
        a, _ = actor(s[None])
    s2 = 0.9 * s + 0.2 * a[0] + 0.05 * torch.randn(2)
    buf.append((s, a[0], -(s2 ** 2).sum(), s2))
    s = s2 if t % 25 else torch.randn(2)
    if t < 64 or t % 4:
        continue
    S, A, R, S2 = (torch.stack(z) for z in zip(*(buf[k] for k in torch.randint(len(buf), (32,)).tolist())))
    alpha = log_alpha.exp().detach()
    with torch.no_grad():
        A2, logp2 = actor(S2)
        y = R + 0.95 * (torch.min(t1(S2, A2), t2(S2, A2)) - alpha * logp2)
    q_opt.zero_grad()
    loss_q = F.mse_loss(q1(S, A), y) + F.mse_loss(q2(S, A), y)
    loss_q.backward()
    q_opt.step()
    for p in chain(q1.parameters(), q2.parameters()):
        p.requires_grad = False
    pi_opt.zero_grad()
    pi, logp = actor(S)
    loss_pi = (alpha * logp - torch.min(q1(S, pi), q2(S, pi))).mean()
    loss_pi.backward()
    pi_opt.step()
    for p in chain(q1.parameters(), q2.parameters()):
        p.requires_grad = True
    a_opt.zero_grad()
    loss_a = -(log_alpha * (logp.detach() - 1.0)).mean()
    loss_a.backward()
    a_opt.step()
    with torch.no_grad():
        for p, tp in zip(chain(q1.parameters(), q2.parameters()), chain(t1.parameters(), t2.parameters())):
            tp.data.mul_(0.98).add_(0.02 * p.data)
    if t % 80 == 0:
        print(t, loss_q.item(), loss_pi.item(), log_alpha.exp().item())
