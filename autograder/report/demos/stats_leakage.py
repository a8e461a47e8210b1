import torch

train = torch.tensor([1.0, 2.0, 3.0])
for test in (torch.tensor([4.0]), torch.tensor([400.0])):
    mean = torch.cat([train, test]).mean()
    print(
        "with test image", test.item(), "the first training image becomes", (train[0] - mean).item()
    )
# > with test image 4.0 the first training image becomes -1.5
# > with test image 400.0 the first training image becomes -100.5
