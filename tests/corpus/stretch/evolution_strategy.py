"""No gradient anywhere: an evolution strategy moves the weights of a module."""
import torch
from torch import nn
from torch.nn.utils import parameters_to_vector, vector_to_parameters

torch.manual_seed(0)
x = torch.randn(200, 3)
y = (x[:, 0] > 0).long()
net = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 2)).requires_grad_(False)
w = parameters_to_vector(net.parameters())


def loss_at(v):
    vector_to_parameters(v, net.parameters())
    return nn.functional.cross_entropy(net(x), y).item()


for gen in range(40):
    eps = torch.randn(20, len(w))
    scores = torch.tensor([loss_at(w + 0.1 * e) for e in eps])
    w = w - 0.3 * ((scores - scores.mean()) / (scores.std() + 1e-8)) @ eps / 20
    if gen % 10 == 0:
        print(gen, loss_at(w))
