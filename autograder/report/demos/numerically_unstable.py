import torch

logits = torch.tensor([200.0, 100.0, 0.0])
print("log(sum(exp)):", logits.exp().sum().log().item())
top = logits.max()
print("with the largest taken out:", (top + (logits - top).exp().sum().log()).item())
# > log(sum(exp)): inf
# > with the largest taken out: 200.0
