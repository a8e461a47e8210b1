import torch

logits = torch.tensor([[9.0, 1.0], [8.0, 2.0], [1.0, 7.0]])  # three images, two classes
labels = torch.tensor([0, 0, 1])
print("argmax(dim=1):", logits.argmax(dim=1).tolist(), "one answer an image")
print("argmax(dim=0):", logits.argmax(dim=0).tolist(), "the best image of each class")
# > argmax(dim=1): [0, 0, 1] one answer an image
# > argmax(dim=0): [0, 2] the best image of each class
