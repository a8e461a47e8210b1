import torch

torch.manual_seed(0)
image = torch.tensor([1, 2, 3])


def read():
    """One test image, as an augmented data set gives it."""
    return image.flip(0) if torch.rand(()) < 0.5 else image


print("four reads of one test image:", [read().tolist() for _ in range(4)])
# > four reads of one test image: [[3, 2, 1], [1, 2, 3], [3, 2, 1], [3, 2, 1]]
