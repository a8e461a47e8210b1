import torch

optimizer = torch.optim.SGD([torch.nn.Parameter(torch.tensor(0.0))], lr=1.0)
schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=0)
for accuracy in (0.5, 0.6, 0.7, 0.8):  # better and better
    schedule.step(accuracy)
    print("accuracy", accuracy, "rate", round(optimizer.param_groups[0]["lr"], 4))
# > accuracy 0.5 rate 1.0
# > accuracy 0.6 rate 0.1
# > accuracy 0.7 rate 0.01
# > accuracy 0.8 rate 0.001
