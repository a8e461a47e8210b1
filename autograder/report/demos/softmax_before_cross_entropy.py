import torch
from torch.nn import functional as F

right = torch.tensor([0])
for strength in (1.0, 5.0, 100.0):
    logits = torch.tensor([[strength, 0.0, 0.0]])
    once = F.cross_entropy(logits, right)
    twice = F.cross_entropy(logits.softmax(dim=1), right)
    print(f"logit {strength:5.0f}: on logits {once:.3f}, on probabilities {twice:.3f}")
# > logit     1: on logits 0.551, on probabilities 0.871
# > logit     5: on logits 0.013, on probabilities 0.560
# > logit   100: on logits 0.000, on probabilities 0.551
