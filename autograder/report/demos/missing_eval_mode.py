import torch

torch.manual_seed(0)
net = torch.nn.Sequential(torch.nn.Linear(4, 64), torch.nn.Dropout(0.5), torch.nn.Linear(64, 1))
image = torch.ones(1, 4)
print("training mode, the same image:", [round(net(image).item(), 2) for _ in range(4)])
net.eval()
print("evaluation mode:", [round(net(image).item(), 2) for _ in range(4)])
# > training mode, the same image: [1.46, 0.18, 0.92, 1.12]
# > evaluation mode: [0.72, 0.72, 0.72, 0.72]
