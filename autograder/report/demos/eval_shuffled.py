import torch
from torch.utils.data import DataLoader

torch.manual_seed(0)
loader = DataLoader([0, 1, 2, 3, 4, 5], batch_size=6, shuffle=True)
print("first pass", next(iter(loader)).tolist())
print("second pass", next(iter(loader)).tolist())
# > first pass [0, 4, 3, 5, 2, 1]
# > second pass [2, 3, 1, 5, 4, 0]
