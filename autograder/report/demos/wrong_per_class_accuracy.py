import torch

matrix = torch.tensor([[8, 2], [45, 45]])  # row = label
for name, by in (("the class's size", matrix.sum(1)), ("all images", matrix.sum())):
    print("by", name, [round(share, 2) for share in (matrix.diag() / by).tolist()])
# > by the class's size [0.8, 0.5]
# > by all images [0.08, 0.45]
