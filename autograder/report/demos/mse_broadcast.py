import torch

y = torch.tensor([1.0, 2.0, 3.0, 4.0])
guess = y.reshape(4, 1)  # every guess is right
print("shape of the difference", tuple((guess - y).shape))
print("loss", ((guess - y) ** 2).mean().item())
print("with equal shapes", ((guess.squeeze(1) - y) ** 2).mean().item())
# > shape of the difference (4, 4)
# > loss 2.5
# > with equal shapes 0.0
