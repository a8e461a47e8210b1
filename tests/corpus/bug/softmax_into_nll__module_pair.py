"""Fashion images: a pair of modules that do not belong together."""
import torch
from torch import nn
from torch.utils.data import DataLoader, Subset
from torchvision import datasets, transforms as T

torch.manual_seed(0)
data = datasets.FashionMNIST(root="data", train=True, download=True, transform=T.ToTensor())
loader = DataLoader(Subset(data, range(512)), batch_size=64, shuffle=True)
body = nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 10))
head = nn.Softmax(dim=-1)
objective = nn.NLLLoss()
optimiser = torch.optim.Adam(body.parameters(), lr=1e-3)
for epoch in range(3):
    agg, n = 0.0, 0
    for img, lab in loader:
        optimiser.zero_grad()
        value = objective(head(body(img)), lab)
        value.backward()
        optimiser.step()
        agg += value.item() * lab.numel()
        n += lab.numel()
    print(f"epoch={epoch} objective={agg / n:+.4f}")
