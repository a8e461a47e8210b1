"""Bayesian polynomial regression with stochastic gradient Langevin dynamics (Welling & Teh, 2011)."""
import math

import torch

torch.manual_seed(3)
N, BATCH, STEPS, BURN = 200, 20, 1500, 500
x = torch.rand(N) * 2 - 1
features = torch.stack([torch.ones(N), x, x**2, x**3], 1)
truth = torch.tensor([0.5, -1.0, 0.8, 1.5])
y = features @ truth + 0.1 * torch.randn(N)
NOISE_VAR, PRIOR_VAR = 0.01, 10.0


def log_joint(theta, fb, yb):
    """Unbiased estimate of log p(theta, data) from a mini-batch."""
    resid = yb - fb @ theta
    loglik = -(resid**2).sum() / (2 * NOISE_VAR) * (N / len(yb))
    logprior = -(theta**2).sum() / (2 * PRIOR_VAR)
    return loglik + logprior


theta = torch.zeros(4, requires_grad=True)
kept = []
for t in range(STEPS):
    idx = torch.randint(N, (BATCH,))
    eps = 2e-5 * (1 + t) ** -0.15
    (grad,) = torch.autograd.grad(log_joint(theta, features[idx], y[idx]), theta)
    with torch.no_grad():
        theta += 0.5 * eps * grad + math.sqrt(eps) * torch.randn_like(theta)
    if t >= BURN:
        kept.append(theta.detach().clone())
    if t % 300 == 0:
        print(f"{t:5d} theta={[round(v, 3) for v in theta.tolist()]}")
samples = torch.stack(kept)
print("posterior mean", samples.mean(0))
print("posterior std ", samples.std(0))
print("truth         ", truth)
