import torch

body, head = torch.nn.Linear(2, 2), torch.nn.Linear(2, 1)
optimizer = torch.optim.SGD(body.parameters(), lr=0.1)
before = [layer.weight.clone() for layer in (body, head)]
head(body(torch.ones(1, 2))).sum().backward()
optimizer.step()
for name, layer, old in zip(("body", "head"), (body, head), before):
    print(
        name,
        "has a gradient:",
        layer.weight.grad is not None,
        "and moved:",
        not torch.equal(old, layer.weight),
    )
# > body has a gradient: True and moved: True
# > head has a gradient: True and moved: False
