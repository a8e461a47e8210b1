"""Upscale by two with a pixel shuffle; MSE for training, PSNR for test."""
from math import log10

import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.nn.init as init
import torch.optim as optim
from torch.utils.data import DataLoader, TensorDataset
from torchvision.datasets import FashionMNIST


class Net(nn.Module):
    def __init__(self, upscale_factor):
        super(Net, self).__init__()
        self.relu = nn.ReLU()
        self.conv1 = nn.Conv2d(1, 16, (5, 5), (1, 1), (2, 2))
        self.conv2 = nn.Conv2d(16, 8, (3, 3), (1, 1), (1, 1))
        self.conv4 = nn.Conv2d(8, upscale_factor ** 2, (3, 3), (1, 1), (1, 1))
        self.pixel_shuffle = nn.PixelShuffle(upscale_factor)
        init.orthogonal_(self.conv1.weight, init.calculate_gain('relu'))
        init.orthogonal_(self.conv2.weight, init.calculate_gain('relu'))
        init.orthogonal_(self.conv4.weight)

    def forward(self, x):
        x = self.relu(self.conv1(x))
        x = self.relu(self.conv2(x))
        return self.pixel_shuffle(self.conv4(x))


def pairs(train, n):
    x = FashionMNIST("data", train=train, download=True).data[:n].float().unsqueeze(1) / 255
    return TensorDataset(F.avg_pool2d(x, 2), x)


torch.manual_seed(123)
training_data_loader = DataLoader(pairs(True, 256), batch_size=16, shuffle=True)
testing_data_loader = DataLoader(pairs(False, 64), batch_size=1, shuffle=False)
model = Net(2)
criterion = nn.MSELoss()
optimizer = optim.Adam(model.parameters(), lr=0.003)

for epoch in range(1, 4):
    epoch_loss = 0
    for batch in training_data_loader:
        input, target = batch[0], batch[1]
        optimizer.zero_grad()
        loss = criterion(model(input), target)
        epoch_loss += loss.item()
        loss.backward()
        optimizer.step()
    print("===> Epoch {} Avg. Loss: {:.4f}".format(epoch, epoch_loss / len(training_data_loader)))
    avg_psnr = 0
    with torch.no_grad():
        for input, target in testing_data_loader:
            mse = criterion(model(input), target)
            avg_psnr += 10 * log10(1 / mse.item())
    print("===> Avg. PSNR: {:.4f} dB".format(avg_psnr / len(testing_data_loader)))
