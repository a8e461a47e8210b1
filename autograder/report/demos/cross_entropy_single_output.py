import torch
from torch.nn import functional as F

logits = torch.tensor([[-3.0], [0.5], [7.0]], requires_grad=True)
loss = F.cross_entropy(logits, torch.tensor([0, 0, 0]))
loss.backward()
print("loss", loss.item())
print("gradient", logits.grad.flatten().tolist())
# > loss 0.0
# > gradient [0.0, 0.0, 0.0]
