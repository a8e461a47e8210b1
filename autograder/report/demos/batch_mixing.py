import torch

images = torch.tensor([[[1, 1], [1, 1]], [[2, 2], [2, 2]], [[3, 3], [3, 3]]])
print("flatten(1)", images.flatten(1).tolist())
print("permute, reshape", images.permute(1, 2, 0).reshape(3, 4).tolist())
# > flatten(1) [[1, 1, 1, 1], [2, 2, 2, 2], [3, 3, 3, 3]]
# > permute, reshape [[1, 2, 3, 1], [2, 3, 1, 2], [3, 1, 2, 3]]
