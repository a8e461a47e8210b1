# Gaussian process regression: kernel hyperparameters by gradient of the log marginal likelihood (numpy-person style)
import numpy as np
import torch

rng = np.random.RandomState(0)
X = np.sort(rng.uniform(0, 10, 60))
Y = np.sin(X) + 0.5 * np.sin(3 * X) + 0.15 * rng.randn(60)
Xs = np.linspace(0, 10, 80)

x = torch.tensor(X)
y = torch.tensor(Y)
xs = torch.tensor(Xs)
theta = {name: torch.tensor(v, dtype=torch.float64, requires_grad=True) for name, v in [("log_len", 1.0), ("log_amp", 0.0), ("log_noise", -1.0)]}


def kernel(a, b, th):
    d = a[:, None] - b[None, :]
    return torch.exp(2 * th["log_amp"]) * torch.exp(-0.5 * d ** 2 / torch.exp(2 * th["log_len"]))


def chol(th):
    K = kernel(x, x, th) + torch.exp(2 * th["log_noise"]) * torch.eye(len(x), dtype=torch.float64)
    return torch.linalg.cholesky(K)


def nlml(th):
    L = chol(th)
    alpha = torch.cholesky_solve(y[:, None], L)[:, 0]
    return 0.5 * y @ alpha + torch.log(torch.diagonal(L)).sum() + 0.5 * len(x) * np.log(2 * np.pi)


def predict(th):
    L = chol(th)
    Ks = kernel(x, xs, th)
    mean = Ks.T @ torch.cholesky_solve(y[:, None], L)[:, 0]
    v = torch.linalg.solve_triangular(L, Ks, upper=False)
    return mean, torch.exp(2 * th["log_amp"]) - (v ** 2).sum(0)


optimizer = torch.optim.Adam(theta.values(), lr=0.05)
trace = np.zeros(150)
for it in range(150):
    optimizer.zero_grad()
    obj = nlml(theta)
    obj.backward()
    optimizer.step()
    trace[it] = obj.item()
print("objective %.3f -> %.3f" % (trace[0], trace[-1]))
print({k: float(v.detach().exp()) for k, v in theta.items()})
with torch.no_grad():
    mean, var = predict(theta)
print("rmse", np.sqrt(np.mean((mean.numpy() - np.sin(Xs) - 0.5 * np.sin(3 * Xs)) ** 2)), "mean sd", var.sqrt().mean().item())
