import torch

images = torch.zeros(5, 1, 28, 28)
for name, flat in (("flatten(1)", images.flatten(1)), ("flatten()", images.flatten())):
    print(name, tuple(flat.shape))
# > flatten(1) (5, 784)
# > flatten() (3920,)
