import torch, torch.nn as nn
from torch.func import functional_call
torch.manual_seed(0)
net = nn.Sequential(nn.Linear(1, 20), nn.Tanh(), nn.Linear(20, 1)); opt = torch.optim.Adam(net.parameters(), 1e-3)
def task():
    a, p = torch.rand(2); a = a * 4 + .1; p = p * 3.14
    f = lambda x: a * torch.sin(x + p)
    xs, xq = torch.rand(10, 1) * 10 - 5, torch.rand(10, 1) * 10 - 5
    return xs, f(xs), xq, f(xq)
mse = nn.functional.mse_loss
for it in range(20):
    opt.zero_grad(); meta = 0.0
    for _ in range(4):
        xs, ys, xq, yq = task()
        params = dict(net.named_parameters())
        inner = mse(functional_call(net, params, (xs,)), ys)
        grads = torch.autograd.grad(inner, params.values(), create_graph=True)
        fast = {k: v - 0.01 * g for (k, v), g in zip(params.items(), grads)}
        meta = meta + mse(functional_call(net, fast, (xq,)), yq)
    meta = meta / 4
    meta.backward(); opt.step()
    if it % 5 == 0: print(it, meta.item())
