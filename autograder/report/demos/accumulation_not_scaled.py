import torch

for many in (1, 2, 4, 8):
    w = torch.tensor(1.0, requires_grad=True)
    for _ in range(many):
        (3 * w).backward()  # each small batch has the gradient 3
    print(many, "small batches: w.grad", w.grad.item())
# > 1 small batches: w.grad 3.0
# > 2 small batches: w.grad 6.0
# > 4 small batches: w.grad 12.0
# > 8 small batches: w.grad 24.0
