import torch

net = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.Dropout(0.5))
for epoch in (1, 2, 3):
    print("epoch", epoch, "trains with dropout:", net.training)
    net.eval()  # the evaluation at the end of the epoch
# > epoch 1 trains with dropout: True
# > epoch 2 trains with dropout: False
# > epoch 3 trains with dropout: False
