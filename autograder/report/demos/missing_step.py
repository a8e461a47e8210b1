import torch

w = torch.nn.Parameter(torch.tensor(1.0))
optimizer = torch.optim.SGD([w], lr=0.1)
for batch in (1, 2, 3, 4):
    optimizer.zero_grad()
    (w * w).backward()
    print("batch", batch, "w", w.item())
optimizer.step()  # once, behind the loop
print("one step for four batches: w", round(w.item(), 2))
# > batch 1 w 1.0
# > batch 2 w 1.0
# > batch 3 w 1.0
# > batch 4 w 1.0
# > one step for four batches: w 0.8
