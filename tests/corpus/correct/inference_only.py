"""No training here: a saved linear head is loaded and used. The first lines stand for an earlier run."""
import torch
from torch import nn

torch.manual_seed(0)
torch.save(nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Dropout(0.5), nn.Linear(8, 2)).state_dict(), "earlier.pt")

net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Dropout(0.5), nn.Linear(8, 2))
net.load_state_dict(torch.load("earlier.pt", map_location="cpu", weights_only=True))
net.eval()
with torch.inference_mode():
    probabilities = torch.softmax(net(torch.randn(5, 4)), dim=1)
for row in probabilities:
    print("class", row.argmax().item(), f"with {row.max().item():.2f}")
