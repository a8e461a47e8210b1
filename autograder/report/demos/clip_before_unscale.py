import torch

scale = 65536.0
w = torch.nn.Parameter(torch.tensor(1.0))
for order in ("clip, unscale", "unscale, clip"):
    w.grad = torch.tensor(0.5) * scale  # a harmless gradient, scaled
    for what in order.split(", "):
        if what == "clip":
            torch.nn.utils.clip_grad_norm_([w], 1.0)
        else:
            w.grad /= scale
    print(order, "leaves", round(w.grad.item(), 8))
# > clip, unscale leaves 1.526e-05
# > unscale, clip leaves 0.5
