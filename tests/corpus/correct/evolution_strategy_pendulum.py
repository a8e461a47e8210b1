"""OpenAI-style evolution strategies: weights move, but nothing is ever differentiated."""
import torch
from torch import nn
from torch.nn.utils import parameters_to_vector, vector_to_parameters


class Policy(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(3, 16), nn.Linear(16, 1)

    def forward(self, s):
        return 2 * torch.tanh(self.fc2(torch.tanh(self.fc1(s))))


def rollout(policy, start, steps=60):
    theta, omega = start.clone().unbind(1)
    total = torch.zeros(len(theta))
    for _ in range(steps):
        u = policy(torch.stack([theta.cos(), theta.sin(), omega], 1)).squeeze(1)
        omega = (omega + 0.05 * (15 * theta.sin() + 3 * u)).clamp(-8, 8)
        theta = theta + 0.05 * omega
        total -= (torch.remainder(theta + torch.pi, 2 * torch.pi) - torch.pi) ** 2 + 0.1 * omega**2
    return total.mean().item() / steps


@torch.no_grad()
def train(generations=60, pop=10, sigma=0.1, lr=0.1):
    policy = Policy()
    mean = parameters_to_vector(policy.parameters()).clone()
    for gen in range(generations):
        start = torch.stack([torch.empty(16).uniform_(-0.5, 0.5), torch.zeros(16)], 1)
        noise = torch.randn(pop, mean.numel())
        noise = torch.cat([noise, -noise])
        rewards = []
        for eps in noise:
            vector_to_parameters(mean + sigma * eps, policy.parameters())
            rewards.append(rollout(policy, start))
        r = torch.tensor(rewards)
        shaped = r.argsort().argsort().float() / (len(r) - 1) - 0.5
        mean += lr / (len(r) * sigma) * (shaped @ noise)
        if gen % 12 == 11:
            print(f"generation {gen + 1}: mean reward {r.mean().item():.3f}")
    vector_to_parameters(mean, policy.parameters())
    return policy


train()
