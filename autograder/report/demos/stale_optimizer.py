import torch

net = torch.nn.Linear(1, 1)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
net = torch.nn.Linear(1, 1)  # made anew, and the optimizer was not
before = net.weight.item()
net(torch.ones(1, 1)).sum().backward()
optimizer.step()
print("this network moved:", net.weight.item() != before)
# > this network moved: False
