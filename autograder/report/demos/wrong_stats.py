import torch

images = torch.zeros(2, 3, 4, 4)
images[:, 0], images[:, 1], images[:, 2] = 0.2, 0.5, 0.8  # red, green, blue
print("over everything:", round(images.mean().item(), 2))
print("per channel:", [round(m, 2) for m in images.mean(dim=(0, 2, 3)).tolist()])
print("of bytes:", [round(m) for m in (255 * images).mean(dim=(0, 2, 3)).tolist()])
# > over everything: 0.5
# > per channel: [0.2, 0.5, 0.8]
# > of bytes: [51, 128, 204]
