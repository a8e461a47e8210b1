import torch

w = torch.nn.Parameter(torch.tensor(1.0))
optimizer = torch.optim.SGD([w], lr=0.1)
for batch in (1, 2, 3):
    optimizer.zero_grad()
    loss = w * w
    optimizer.step()
    print("batch", batch, "loss", loss.item(), "w.grad", w.grad)
# > batch 1 loss 1.0 w.grad None
# > batch 2 loss 1.0 w.grad None
# > batch 3 loss 1.0 w.grad None
