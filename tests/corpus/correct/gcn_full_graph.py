"""Semi-supervised graph network: one graph, all nodes in each step, masks for the parts."""
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
n, k = 150, 3
y = torch.arange(k).repeat_interleave(n // k)
p = torch.where(y[:, None] == y[None], 0.15, 0.01)
adj = (torch.rand(n, n) < p).float().triu(1)
adj = adj + adj.t() + torch.eye(n)
d = adj.sum(1).rsqrt()
adj = d[:, None] * adj * d[None]
feat = torch.randn(n, 16) + 0.5 * F.one_hot(y, 16)
idx = torch.randperm(n)
idx_train, idx_val, idx_test = idx[:30], idx[30:70], idx[70:]


class GraphConvolution(nn.Module):
    def __init__(self, i, o):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(i, o))
        self.bias = nn.Parameter(torch.zeros(o))
        nn.init.xavier_uniform_(self.weight)

    def forward(self, x, a):
        return a @ (x @ self.weight) + self.bias


class GCN(nn.Module):
    def __init__(self):
        super().__init__()
        self.gc1, self.gc2 = GraphConvolution(16, 24), GraphConvolution(24, k)

    def forward(self, x, a):
        x = F.relu(self.gc1(x, a))
        x = F.dropout(x, 0.5, training=self.training)
        return F.log_softmax(self.gc2(x, a), dim=1)


model = GCN()
optimizer = torch.optim.Adam(model.parameters(), lr=0.01, weight_decay=5e-4)
for epoch in range(80):
    model.train()
    optimizer.zero_grad()
    output = model(feat, adj)
    loss_train = F.nll_loss(output[idx_train], y[idx_train])
    loss_train.backward()
    optimizer.step()
    if epoch % 20 == 0:
        model.eval()
        with torch.no_grad():
            output = model(feat, adj)
            print(epoch, loss_train.item(), "val", (output[idx_val].argmax(1) == y[idx_val]).float().mean().item())
model.eval()
with torch.no_grad():
    print("test", (model(feat, adj)[idx_test].argmax(1) == y[idx_test]).float().mean().item())
