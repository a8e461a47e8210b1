"""Fine-tuning a model that is good already, with a rate of 1e-5 and a warm-up."""
import torch
from torch import nn

torch.manual_seed(0)
x = torch.randn(400, 10)
y = x[:, :4].argmax(1)
model = nn.Sequential(nn.Linear(10, 64), nn.GELU(), nn.Linear(64, 4))


def fit(opt, epochs, sched=None):
    for epoch in range(epochs):
        for i in torch.randperm(400).split(40):
            opt.zero_grad()
            loss = nn.functional.cross_entropy(model(x[i]), y[i])
            loss.backward()
            opt.step()
            if sched:
                sched.step()
        print(f"{epoch} {loss.item():.4f}")


print("pretraining")
fit(torch.optim.AdamW(model.parameters(), lr=1e-2), 6)
y[:40] = (y[:40] + 1) % 4       # the labels were revised
print("fine-tuning")
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5)
warmup = torch.optim.lr_scheduler.LinearLR(optimizer, start_factor=0.1, total_iters=10)
fit(optimizer, 3, warmup)
