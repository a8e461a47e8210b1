import torch
from torch.nn import functional as F

right = torch.tensor([9.0])  # the class "boot", as a number
for guess in (8.0, 0.0):
    print("guess", int(guess), "squared error", F.mse_loss(torch.tensor([guess]), right).item())
print("both are simply wrong: a class is no amount")
# > guess 8 squared error 1.0
# > guess 0 squared error 81.0
# > both are simply wrong: a class is no amount
