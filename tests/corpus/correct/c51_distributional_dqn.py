"""Categorical (C51) Q-learning on a windy corridor; target net by periodic copy."""
import collections, random
import numpy as np
import torch
from torch import nn

N, ACTIONS, ATOMS, VMIN, VMAX, GAMMA = 7, 2, 21, -2.0, 2.0, 0.95
SUPPORT = torch.linspace(VMIN, VMAX, ATOMS)
DZ = (VMAX - VMIN) / (ATOMS - 1)


class Corridor:
    def reset(self):
        self.s, self.t = N // 2, 0
        return self.obs()

    def obs(self):
        return np.eye(N, dtype=np.float32)[self.s]

    def step(self, a):
        self.s += 1 if (a == 1) != (random.random() < 0.1) else -1
        self.t += 1
        if self.s <= 0: self.s = 0; return self.obs(), -1.0, True
        if self.s >= N - 1: self.s = N - 1; return self.obs(), 1.0, True
        return self.obs(), -0.01, self.t >= 40


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.f = nn.Sequential(nn.Linear(N, 48), nn.ReLU(), nn.Linear(48, ACTIONS * ATOMS))

    def forward(self, x):
        return self.f(x).view(-1, ACTIONS, ATOMS).log_softmax(-1)

    def q(self, x):
        return (self(x).exp() * SUPPORT).sum(-1)


def project(next_p, r, done):
    tz = (r[:, None] + GAMMA * (1 - done[:, None]) * SUPPORT).clamp(VMIN, VMAX)
    b = (tz - VMIN) / DZ
    lo, hi = b.floor().long(), b.ceil().long()
    m = torch.zeros_like(next_p)
    m.scatter_add_(1, lo, next_p * (hi.float() - b + (lo == hi).float()))
    m.scatter_add_(1, hi, next_p * (b - lo.float()))
    return m


def main():
    random.seed(0); np.random.seed(0); torch.manual_seed(0)
    env, net, target = Corridor(), Net(), Net()
    target.load_state_dict(net.state_dict())
    opt = torch.optim.Adam(net.parameters(), lr=2e-3)
    memory, returns, updates = collections.deque(maxlen=4000), [], 0
    for episode in range(90):
        s, done, total = env.reset(), False, 0.0
        eps = max(0.05, 1 - episode / 50)
        while not done:
            if random.random() < eps:
                a = random.randrange(ACTIONS)
            else:
                with torch.no_grad():
                    a = net.q(torch.from_numpy(s)[None]).argmax(1).item()
            s2, r, done = env.step(a)
            memory.append((s, a, r, s2, float(done)))
            s, total = s2, total + r
            if len(memory) < 64: continue
            S, A, R, S2, D = (torch.as_tensor(np.array(c)) for c in zip(*random.sample(memory, 32)))
            R, D, row = R.float(), D.float(), torch.arange(32)
            with torch.no_grad():
                best = target.q(S2).argmax(1)
                m = project(target(S2).exp()[row, best], R, D)
            loss = -(m * net(S)[row, A]).sum(1).mean()
            opt.zero_grad(); loss.backward(); opt.step()
            updates += 1
            if updates % 40 == 0:
                target.load_state_dict(net.state_dict())
        returns.append(total)
        if (episode + 1) % 15 == 0:
            print(f"episode {episode + 1} mean return {np.mean(returns[-15:]):+.2f}")


main()
