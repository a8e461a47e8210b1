import torch


def centred(x):
    """The values around their mean."""
    x -= x.mean()
    return x


mine = torch.tensor([1.0, 2.0, 3.0])
centred(mine)
print("mine is now", mine.tolist())
# > mine is now [-1.0, 0.0, 1.0]
