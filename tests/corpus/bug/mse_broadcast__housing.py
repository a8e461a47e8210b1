import torch
import torch.nn as nn
from torch.utils.data import Dataset, DataLoader
class Housing(Dataset):
    def __init__(self, n):
        g = torch.Generator().manual_seed(0)
        self.x = torch.randn(n, 6, generator=g)
        self.y = self.x @ torch.tensor([1., -2., .5, 0., 3., 1.]) + 0.1 * torch.randn(n, generator=g)
    def __len__(self): return len(self.x)
    def __getitem__(self, i): return self.x[i], self.y[i]
torch.manual_seed(0)
loader = DataLoader(Housing(320), batch_size=32, shuffle=True)
model = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 1))
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
for epoch in range(4):
    for x, price in loader:
        optimizer.zero_grad()
        loss = ((model(x) - price) ** 2).mean()
        loss.backward()
        optimizer.step()
    print(epoch, loss.item())
