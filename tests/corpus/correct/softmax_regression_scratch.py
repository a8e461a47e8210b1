import torch
torch.manual_seed(0)
X = torch.randn(400, 6); y = X[:, :3].argmax(1)
W = (torch.randn(6, 3) * .01).requires_grad_(True); b = torch.zeros(3, requires_grad=True)
def softmax(z):
    e = torch.exp(z - z.max(1, keepdim=True).values); return e / e.sum(1, keepdim=True)
def net(x): return softmax(x @ W + b)
def cross_entropy(p, t): return -torch.log(p[range(len(p)), t])
def sgd(params, lr, bs):
    with torch.no_grad():
        for p in params: p -= lr * p.grad / bs; p.grad.zero_()
def data_iter(bs):
    idx = torch.randperm(300)
    for i in range(0, 300, bs): j = idx[i:i+bs]; yield X[j], y[j]
for e in range(4):
    for a, t in data_iter(30):
        l = cross_entropy(net(a), t); l.sum().backward(); sgd([W, b], .1, len(t))
    with torch.no_grad(): print(e, (net(X[300:]).argmax(1) == y[300:]).float().mean().item())
