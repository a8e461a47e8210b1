import torch

w = torch.nn.Parameter(torch.tensor(1.0))
optimizer = torch.optim.SGD([w], lr=0.1)
for batch in (1, 2, 3):
    (w * w).backward()
    print("before the clearing", w.grad)
    optimizer.zero_grad()
    print("before the step", w.grad)
    optimizer.step()
print("w is still", w.item())
# > before the clearing tensor(2.)
# > before the step None
# > before the clearing tensor(2.)
# > before the step None
# > before the clearing tensor(2.)
# > before the step None
# > w is still 1.0
