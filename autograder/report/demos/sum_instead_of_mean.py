import torch
from torch.nn import functional as F

for size in (10, 100, 1000):
    logits = torch.zeros(1, 3, requires_grad=True)
    labels = torch.zeros(size, dtype=torch.long)
    F.cross_entropy(logits.expand(size, 3), labels, reduction="sum").backward()
    print(f"batch of {size:4}: length of the gradient {logits.grad.norm():.1f}")
# > batch of   10: length of the gradient 8.2
# > batch of  100: length of the gradient 81.6
# > batch of 1000: length of the gradient 816.5
