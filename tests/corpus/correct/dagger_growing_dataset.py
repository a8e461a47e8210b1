"""DAgger: the learner drives, the expert labels, the data set grows, the policy is trained on."""
import torch
from torch import nn
from torch.utils.data import ConcatDataset, DataLoader, TensorDataset


class Cart:
    """A point mass that must come to rest at the origin; state (x, v)."""

    def __init__(self, n):
        self.s = torch.stack([torch.rand(n) * 4 - 2, torch.rand(n) * 2 - 1], 1)

    def step(self, force):
        x, v = self.s.unbind(1)
        v = v + 0.1 * (force.clamp(-1, 1) - 0.1 * v)
        self.s = torch.stack([x + 0.1 * v, v], 1)


def expert(s):
    return (-1.5 * s[:, 0] - 1.8 * s[:, 1]).clamp(-1, 1)


class Policy(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(2, 32), nn.Tanh(), nn.Linear(32, 1), nn.Tanh())

    def forward(self, s):
        return self.body(s).squeeze(-1)


@torch.no_grad()
def rollout(policy, n=16, length=40, beta=0.0):
    env, visited = Cart(n), []
    policy.eval()
    for _ in range(length):
        visited.append(env.s)
        a = torch.where(torch.rand(n) < beta, expert(env.s), policy(env.s))
        env.step(a)
    states = torch.cat(visited)
    return TensorDataset(states, expert(states)), env.s.norm(dim=1).mean().item()


def train(policy, data, epochs, opt):
    loader = DataLoader(data, batch_size=64, shuffle=True)
    policy.train()
    last = None
    for _ in range(epochs):
        for s, a in loader:
            last = (policy(s) - a).pow(2).mean()
            opt.zero_grad()
            last.backward()
            opt.step()
    return last.item()


if __name__ == "__main__":
    torch.manual_seed(0)
    policy = Policy()
    optimizer = torch.optim.Adam(policy.parameters(), lr=3e-3)
    parts = []
    for it in range(5):
        data, _ = rollout(policy, beta=0.5 ** it if it else 1.0)
        parts.append(data)
        loss = train(policy, ConcatDataset(parts), 3, optimizer)
        _, final = rollout(policy)
        print(f"iteration {it}: {sum(map(len, parts))} states, loss {loss:.4f}, distance at the end {final:.3f}")
