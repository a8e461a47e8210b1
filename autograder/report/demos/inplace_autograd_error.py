import torch

w = torch.tensor(1.0, requires_grad=True)
y = w.exp()  # the slope of exp is exp itself: backward needs y
y += 1
try:
    y.backward()
except RuntimeError as error:
    print(type(error).__name__, "about an inplace operation:", "inplace operation" in str(error))
# > RuntimeError about an inplace operation: True
