import torch

net = torch.nn.Linear(4, 2)
answers = net(torch.ones(1, 4))
print("graph recorded:", answers.grad_fn is not None)
with torch.no_grad():
    answers = net(torch.ones(1, 4))
print("graph recorded:", answers.grad_fn is not None)
# > graph recorded: True
# > graph recorded: False
