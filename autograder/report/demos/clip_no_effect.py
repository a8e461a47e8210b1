import torch

w = torch.nn.Parameter(torch.tensor(0.0))
optimizer = torch.optim.SGD([w], lr=0.1)
w.grad = torch.tensor(-500.0)
optimizer.step()
torch.nn.utils.clip_grad_norm_([w], 1.0)  # after the step
print("w jumped to", w.item())
print("w.grad is now", round(w.grad.item(), 3))
# > w jumped to 50.0
# > w.grad is now -1.0
