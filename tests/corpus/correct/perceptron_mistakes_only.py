"""The perceptron's loss is zero where all is right: some steps change nothing, as they should."""
import torch

torch.manual_seed(0)
x = torch.randn(200, 2)
y = torch.sign(x[:, 0] + 0.5 * x[:, 1])
w = torch.zeros(2, requires_grad=True)
b = torch.zeros(1, requires_grad=True)
opt = torch.optim.SGD([w, b], lr=0.5)
for epoch in range(6):
    for i in torch.randperm(200).split(10):
        score = y[i] * (x[i] @ w + b)
        loss = torch.relu(1e-3 - score).mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
    with torch.no_grad():
        print(epoch, (torch.sign(x @ w + b) == y).float().mean().item())
