"""Alternating updates of users and items in a recommender: one optimizer's gradients are never cleared."""
import torch
from torch import nn

torch.manual_seed(11)
U, I, K = 40, 30, 4
truth = torch.randn(U, K) @ torch.randn(I, K).T
seen = (torch.rand(U, I) < 0.5).nonzero()


class MF(nn.Module):
    def __init__(self):
        super().__init__()
        self.users, self.items = nn.Embedding(U, K), nn.Embedding(I, K)

    def forward(self, u, i):
        return (self.users(u) * self.items(i)).sum(1)


model = MF()
opt_users = torch.optim.Adagrad(model.users.parameters(), lr=0.3)
opt_items = torch.optim.Adagrad(model.items.parameters(), lr=0.3)
for epoch in range(10):
    for pairs in seen[torch.randperm(len(seen))].split(50):
        u, i = pairs.T
        loss = nn.functional.mse_loss(model(u, i), truth[u, i])
        opt_users.zero_grad()
        loss.backward()
        opt_users.step()
        opt_items.step()
    with torch.no_grad():
        every = torch.cartesian_prod(torch.arange(U), torch.arange(I)).T
        print(epoch, loss.item(), (model(*every) - truth.flatten()).pow(2).mean().item())
