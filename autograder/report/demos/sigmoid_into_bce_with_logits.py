import torch
from torch.nn import functional as F

yes = torch.tensor([1.0])
for z in (0.0, 5.0, 100.0):
    logit = torch.tensor([z])
    once = F.binary_cross_entropy_with_logits(logit, yes)
    twice = F.binary_cross_entropy_with_logits(logit.sigmoid(), yes)
    print(f"logit {z:5.0f}: one sigmoid {once:.3f}, two sigmoids {twice:.3f}")
# > logit     0: one sigmoid 0.693, two sigmoids 0.474
# > logit     5: one sigmoid 0.007, two sigmoids 0.315
# > logit   100: one sigmoid 0.000, two sigmoids 0.313
