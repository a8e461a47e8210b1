import torch

net = torch.nn.Linear(4, 2, device="meta")  # stands for a GPU: another device than the images'
images = torch.ones(1, 4)
try:
    net(images)
except RuntimeError as error:
    print(type(error).__name__)
print("network on", next(net.parameters()).device, "and images on", images.device)
# > RuntimeError
# > network on meta and images on cpu
