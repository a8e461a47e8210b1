import torch

for make in (torch.optim.Adam, torch.optim.AdamW):
    for size in (10.0, 0.1):
        w = torch.nn.Parameter(torch.tensor(size))
        optimizer = make([w], lr=0.01, weight_decay=0.1)
        w.grad = torch.tensor(0.0)  # nothing but the decay
        optimizer.step()
        print(f"{make.__name__}: a weight of {size} shrinks by {size - w.item():.5f}")
# > Adam: a weight of 10.0 shrinks by 0.01000
# > Adam: a weight of 0.1 shrinks by 0.01000
# > AdamW: a weight of 10.0 shrinks by 0.01000
# > AdamW: a weight of 0.1 shrinks by 0.00010
