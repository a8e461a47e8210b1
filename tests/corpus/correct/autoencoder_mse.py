"""Dense autoencoder, mean squared error, cosine of the reconstruction as a side metric."""
import torch
from torch import nn
from torch.utils.data import DataLoader
from torchvision import datasets
from torchvision.transforms import Compose, Lambda, ToTensor

torch.manual_seed(0)
to_vec = Compose([ToTensor(), Lambda(torch.flatten)])
train = DataLoader(datasets.FashionMNIST("data", True, to_vec, download=True), batch_size=50, shuffle=True)
test = DataLoader(datasets.FashionMNIST("data", False, to_vec, download=True), batch_size=50)


class AutoEncoder(nn.Module):
    def __init__(self, code=16):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(784, 96), nn.ReLU(), nn.Linear(96, code))
        self.decoder = nn.Sequential(nn.Linear(code, 96), nn.ReLU(), nn.Linear(96, 784), nn.Sigmoid())

    def forward(self, x):
        return self.decoder(self.encoder(x))


ae = AutoEncoder()
opt = torch.optim.Adam(ae.parameters(), lr=2e-3)
for epoch in range(3):
    for img, _ in train:
        rec = ae(img)
        loss = nn.functional.mse_loss(rec, img)
        opt.zero_grad()
        loss.backward()
        opt.step()
    with torch.no_grad():
        err = n = 0.0
        for img, _ in test:
            err += nn.functional.mse_loss(ae(img), img, reduction="sum").item() / 784
            n += len(img)
    print(f"epoch {epoch + 1}: train {loss.item():.4f}, test {err / n:.4f}")
