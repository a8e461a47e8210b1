import torch

p = torch.nn.Parameter(torch.tensor([0.0, 1.0]))
optimizer = torch.optim.SGD([p], lr=0.1)
loss = -(torch.tensor([0.0, 1.0]) * p.log()).sum()  # 0 times minus infinity
loss.backward()
optimizer.step()
print("loss", loss.item(), "and from now on p", [round(x, 2) for x in p.tolist()])
# > loss nan and from now on p [nan, 1.1]
