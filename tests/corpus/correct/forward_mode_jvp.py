"""Forward gradients: directional derivatives only, no backward pass anywhere."""
import torch
import torch.func as fc

torch.manual_seed(0)
x = torch.randn(200, 5)
w_true = torch.randn(5)
y = x @ w_true
w = torch.zeros(5)


def loss(w):
    return ((x @ w - y) ** 2).mean()


for step in range(300):
    v = torch.randn(5)
    value, slope = fc.jvp(loss, (w,), (v,))
    w = w - 0.05 * slope * v
    if step % 100 == 0:
        print(step, value.item())
print((w - w_true).abs().max().item())
