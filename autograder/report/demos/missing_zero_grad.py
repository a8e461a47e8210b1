import torch

w = torch.tensor(1.0, requires_grad=True)
for batch in (1, 2, 3):
    (3 * w).backward()  # the slope of 3w is 3, always
    print("batch", batch, "w.grad", w.grad.item())
# > batch 1 w.grad 3.0
# > batch 2 w.grad 6.0
# > batch 3 w.grad 9.0
