import torch

w = torch.nn.Parameter(torch.tensor(1.0))
optimizer = torch.optim.SGD([w], lr=0.1)
for batch in (1, 2, 3):
    optimizer.zero_grad()
    loss = w * w
    optimizer.step()
    loss.backward()
    print("batch", batch, "w", w.item(), "w.grad", w.grad.item())
# > batch 1 w 1.0 w.grad 2.0
# > batch 2 w 1.0 w.grad 2.0
# > batch 3 w 1.0 w.grad 2.0
