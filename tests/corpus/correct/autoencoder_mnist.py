import torch, torch.nn as nn
from torchvision import datasets, transforms
torch.manual_seed(0)
dl = torch.utils.data.DataLoader(datasets.MNIST("data", train=True, download=True, transform=transforms.ToTensor()), 128, shuffle=True)
class AE(nn.Module):
    def __init__(self):
        super().__init__()
        self.enc = nn.Sequential(nn.Linear(784, 32), nn.ReLU(True), nn.Linear(32, 3)); self.dec = nn.Sequential(nn.Linear(3, 32), nn.ReLU(True), nn.Linear(32, 784), nn.Sigmoid())
    def forward(self, x): return self.dec(self.enc(x))
m = AE(); crit = nn.MSELoss(); opt = torch.optim.Adam(m.parameters(), lr=1e-3, weight_decay=1e-5)
for ep in range(2):
    for img, _ in dl:
        img = img.view(img.size(0), -1)
        noisy = img + 0.1 * torch.randn_like(img)
        loss = crit(m(noisy), img)
        opt.zero_grad(); loss.backward(); opt.step()
    print(f"epoch [{ep+1}/2], loss:{loss.item():.4f}")
