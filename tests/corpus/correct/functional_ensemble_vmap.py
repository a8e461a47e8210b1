"""Five networks at once with stack_module_state, functional_call, vmap and grad."""
import copy

import torch
from torch import nn
from torch.func import functional_call, grad, stack_module_state, vmap

torch.manual_seed(0)
x = torch.randn(256, 6)
y = (x.sum(1) > 0).long()
nets = [nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 2)) for _ in range(5)]
params, buffers = stack_module_state(nets)
skeleton = copy.deepcopy(nets[0]).to("meta")


def loss_of(p, b, xb, yb):
    return nn.functional.cross_entropy(functional_call(skeleton, (p, b), (xb,)), yb)


grads_of = vmap(grad(loss_of), in_dims=(0, 0, None, None))
for step in range(60):
    idx = torch.randint(256, (32,))
    g = grads_of(params, buffers, x[idx], y[idx])
    params = {k: (v - 0.3 * g[k]).detach() for k, v in params.items()}
with torch.no_grad():
    each = vmap(lambda p, b: functional_call(skeleton, (p, b), (x,)))(params, buffers)
    print("each", (each.argmax(-1) == y).float().mean(1).tolist())
    print("together", (each.mean(0).argmax(-1) == y).float().mean().item())
