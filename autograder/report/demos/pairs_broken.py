import torch

torch.manual_seed(0)
images, labels = torch.arange(5), torch.arange(5)  # image k has label k
one, other = torch.randperm(5), torch.randperm(5)
print("two permutations:", list(zip(images[one].tolist(), labels[other].tolist())))
print("one for both:", list(zip(images[one].tolist(), labels[one].tolist())))
# > two permutations: [(4, 3), (0, 4), (1, 0), (3, 1), (2, 2)]
# > one for both: [(4, 4), (0, 0), (1, 1), (3, 3), (2, 2)]
