import torch, torch.nn as nn, torch.nn.functional as F
from torch.distributions import Categorical
torch.manual_seed(543)
class Env:
    def reset(self): self.s = torch.randn(4); self.t = 0; return self.s
    def step(self, a):
        r = 1.0 if (self.s[0] > 0) == bool(a) else 0.0
        self.s = torch.randn(4); self.t += 1
        return self.s, r, self.t >= 15
class Policy(nn.Module):
    def __init__(self):
        super().__init__()
        self.affine1 = nn.Linear(4, 32); self.dropout = nn.Dropout(0.1); self.affine2 = nn.Linear(32, 2)
        self.saved_log_probs = []; self.rewards = []
    def forward(self, x):
        return F.softmax(self.affine2(F.relu(self.dropout(self.affine1(x)))), dim=1)
policy = Policy(); optimizer = torch.optim.Adam(policy.parameters(), lr=1e-2); env = Env()
for ep in range(15):
    s = env.reset(); done = False
    while not done:
        m = Categorical(policy(s.unsqueeze(0)))
        a = m.sample(); policy.saved_log_probs.append(m.log_prob(a))
        s, r, done = env.step(a.item()); policy.rewards.append(r)
    R = 0; returns = []
    for r in policy.rewards[::-1]:
        R = r + 0.99 * R; returns.insert(0, R)
    returns = torch.tensor(returns); returns = (returns - returns.mean()) / (returns.std() + 1e-8)
    loss = torch.cat([-lp * R for lp, R in zip(policy.saved_log_probs, returns)]).sum()
    optimizer.zero_grad(); loss.backward(); optimizer.step()
    print(ep, sum(policy.rewards))
    del policy.rewards[:]; del policy.saved_log_probs[:]
