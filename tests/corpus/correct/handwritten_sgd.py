import torch
torch.manual_seed(0)
X = torch.randn(300, 4); w = torch.tensor([[1.], [2.], [-1.], [.5]]); y = X @ w + 0.3 + 0.01 * torch.randn(300, 1)
W = torch.zeros(4, 1, requires_grad=True); b = torch.zeros(1, requires_grad=True)
for ep in range(5):
    for idx in torch.randperm(300).split(30):
        loss = ((X[idx] @ W + b - y[idx]) ** 2).mean()
        loss.backward()
        with torch.no_grad():
            for p in (W, b):
                p -= 0.1 * p.grad
                p.grad.zero_()
    print(ep, loss.item())
