"""Two layers of graph convolution; features and neighbours are sparse, in two layouts."""
import torch
from torch import nn
from torch.nn import functional as F


class GraphNet(nn.Module):
    def __init__(self, inputs, classes):
        super().__init__()
        self.one = nn.Parameter(torch.randn(inputs, 16) * 0.2)
        self.two = nn.Linear(16, classes)

    def forward(self, features, neighbours):
        h = torch.relu(torch.sparse.mm(neighbours, torch.sparse.mm(features, self.one)))
        return torch.sparse.mm(neighbours, self.two(F.dropout(h, 0.3, self.training)))


torch.manual_seed(0)
features = (torch.rand(60, 12) > 0.8).float()
kinds = features[:, :4].argmax(1)
links = (torch.rand(60, 60) > 0.93).float() + torch.eye(60)
neighbours = (links / links.sum(1, keepdim=True)).to_sparse_csr()
model = GraphNet(12, 4)
adam = torch.optim.Adam(model.parameters(), lr=0.02, weight_decay=5e-4)
known = torch.arange(60) < 40
for epoch in range(25):
    model.train()
    adam.zero_grad()
    F.cross_entropy(model(features.to_sparse(), neighbours)[known], kinds[known]).backward()
    adam.step()
    model.eval()
    with torch.no_grad():
        guess = model(features.to_sparse(), neighbours).argmax(1)
    if epoch % 8 == 0:
        print(epoch, (guess == kinds)[~known].float().mean().item())
