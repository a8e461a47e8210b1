import torch

w = torch.nn.Parameter(torch.tensor(1.0))
total = 0.0
for batch in range(1000):
    total = total + w * batch  # the loss itself, with its graph
node, length = total.grad_fn, 0
while node is not None:
    node, length = (node.next_functions or [(None, 0)])[0][0], length + 1
print("nodes that are kept alive:", length)
# > nodes that are kept alive: 1002
