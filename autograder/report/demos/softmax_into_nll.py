import torch
from torch.nn import functional as F

logits, right = torch.tensor([[2.0, 0.0, 0.0]]), torch.tensor([0])
print(f"of probabilities: {F.nll_loss(logits.softmax(dim=1), right):.3f}")
print(f"of their logarithms: {F.nll_loss(logits.log_softmax(dim=1), right):.3f}")
# > of probabilities: -0.787
# > of their logarithms: 0.240
