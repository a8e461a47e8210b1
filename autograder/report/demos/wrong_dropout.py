import torch

torch.manual_seed(0)
x, p = torch.ones(100_000), 0.8
mask = (torch.rand_like(x) >= p).float()
print("mean without a factor:", round((x * mask).mean().item(), 1))
print("mean with 1 / (1 - p):", round((x * mask / (1 - p)).mean().item(), 1))
# > mean without a factor: 0.2
# > mean with 1 / (1 - p): 1.0
