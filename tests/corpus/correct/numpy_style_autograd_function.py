"""A custom autograd.Function in a two-layer network with hand-made updates of many small steps."""
import torch


class Hardish(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.clamp(min=0)

    @staticmethod
    def backward(ctx, grad_output):
        x, = ctx.saved_tensors
        g = grad_output.clone()
        g[x < 0] = 0
        return g


torch.manual_seed(0)
N, D_in, H, D_out = 64, 20, 32, 3
x, y = torch.randn(N, D_in), torch.randn(N, D_out)
w1 = torch.randn(D_in, H, requires_grad=True)
w2 = torch.randn(H, D_out, requires_grad=True)
learning_rate = 2e-2
with torch.no_grad():
    w1 /= D_in ** 0.5
    w2 /= H ** 0.5
for t in range(200):
    y_pred = Hardish.apply(x.mm(w1)).mm(w2)
    loss = (y_pred - y).pow(2).mean()
    if t % 50 == 49:
        print(t, loss.item())
    loss.backward()
    with torch.no_grad():
        w1 -= learning_rate * w1.grad * 10
        w2 -= learning_rate * w2.grad * 10
        w1.grad = None
        w2.grad = None
