import torch
from torch.utils.data import DataLoader

torch.manual_seed(0)
labels = [0, 0, 0, 0, 1, 1, 1, 1]  # as they lie in the file
for shuffle in (False, True):
    loader = DataLoader(labels, batch_size=4, shuffle=shuffle)
    for epoch in (1, 2):
        print("shuffle", shuffle, "epoch", epoch, [batch.tolist() for batch in loader])
# > shuffle False epoch 1 [[0, 0, 0, 0], [1, 1, 1, 1]]
# > shuffle False epoch 2 [[0, 0, 0, 0], [1, 1, 1, 1]]
# > shuffle True epoch 1 [[0, 0, 1, 0], [1, 0, 1, 1]]
# > shuffle True epoch 2 [[1, 1, 0, 1], [0, 0, 0, 1]]
