import torch

w = torch.tensor(2.0, requires_grad=True)
whole = w * w
cut = w * w.detach()
for name, y in (("w * w", whole), ("w * w.detach()", cut)):
    (slope,) = torch.autograd.grad(y, w)
    print(name, "has the slope", slope.item())
# > w * w has the slope 4.0
# > w * w.detach() has the slope 2.0
