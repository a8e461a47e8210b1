import torch

torch.manual_seed(0)
test, fresh = torch.randint(2, (100,)), torch.randint(2, (100,))
models = [torch.randint(2, (100,)) for _ in range(50)]  # each of them tosses a coin
best = max(models, key=lambda m: (m == test).sum().item())
print("the best of 50 on the test set:", (best == test).sum().item(), "percent")
print("the same one on fresh data:", (best == fresh).sum().item(), "percent")
# > the best of 50 on the test set: 68 percent
# > the same one on fresh data: 47 percent
