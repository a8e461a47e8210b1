import torch

torch.manual_seed(0)
train = set(torch.randperm(10)[:7].tolist())
test = set(torch.randperm(10)[7:].tolist())  # another permutation
print("in both parts:", sorted(train & test))
# > in both parts: [0, 1, 5]
