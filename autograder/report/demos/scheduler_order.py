import torch

w = torch.nn.Parameter(torch.tensor(0.0))
optimizer = torch.optim.SGD([w], lr=1.0)
schedule = torch.optim.lr_scheduler.StepLR(optimizer, step_size=1, gamma=0.1)
for step in (1, 2, 3):
    w.grad = torch.tensor(-1.0)
    before = w.item()
    schedule.step()
    optimizer.step()
    print("step", step, "uses the rate", round(w.item() - before, 4))
print("the first rate was to be 1.0")
# > step 1 uses the rate 0.1
# > step 2 uses the rate 0.01
# > step 3 uses the rate 0.001
# > the first rate was to be 1.0
