"""Face recognition in small: a head with class centres on a sphere, which nobody gives to the optimizer."""
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset


class CosineHead(nn.Module):
    """Scores are cosines between an embedding and one learnt centre per class, less a margin."""

    def __init__(self, width, classes, margin=0.2, scale=8.0):
        super().__init__()
        self.centres = nn.Parameter(torch.empty(classes, width))
        nn.init.xavier_uniform_(self.centres)
        self.margin, self.scale = margin, scale

    def forward(self, embedding, labels):
        cosine = F.linear(F.normalize(embedding), F.normalize(self.centres))
        return self.scale * (cosine - self.margin * F.one_hot(labels, cosine.size(1)))


torch.manual_seed(7)
x = torch.randn(300, 12)
y = (x @ torch.randn(12, 5)).argmax(1)
loader = DataLoader(TensorDataset(x, y), batch_size=50, shuffle=True)
embed = nn.Sequential(nn.Linear(12, 32), nn.ReLU(), nn.Linear(32, 8))
head = CosineHead(8, 5)
sgd = torch.optim.SGD(embed.parameters(), lr=0.05, momentum=0.9)
for epoch in range(6):
    for images, people in loader:
        loss = F.cross_entropy(head(embed(images), people), people)
        sgd.zero_grad()
        loss.backward()
        sgd.step()
    print(epoch, loss.item())
