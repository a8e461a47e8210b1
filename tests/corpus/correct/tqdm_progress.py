"""tqdm bars with a postfix."""
import torch
from torch import nn
from torch.utils.data import DataLoader
from torchvision import datasets, transforms
from tqdm.auto import tqdm, trange

torch.manual_seed(0)
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
tf = transforms.ToTensor()
train_dl = DataLoader(datasets.MNIST("data", True, tf, download=True), batch_size=64, shuffle=True, num_workers=0)
test_dl = DataLoader(datasets.MNIST("data", False, tf, download=True), batch_size=64)
model = nn.Sequential(nn.Conv2d(1, 8, 3, 2), nn.ReLU(), nn.Conv2d(8, 16, 3, 2), nn.ReLU(), nn.Flatten(), nn.Linear(576, 10)).to(device)
opt = torch.optim.Adam(model.parameters(), lr=3e-3)
for epoch in trange(2, desc="epochs"):
    model.train()
    bar = tqdm(train_dl, leave=False)
    for x, y in bar:
        x, y = x.to(device), y.to(device)
        opt.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        opt.step()
        bar.set_postfix(loss=f"{loss.item():.3f}")
    model.eval()
    with torch.no_grad():
        correct = sum((model(x.to(device)).argmax(1) == y.to(device)).sum().item() for x, y in tqdm(test_dl, leave=False))
    tqdm.write(f"epoch {epoch}: {correct / len(test_dl.dataset):.4f}")
