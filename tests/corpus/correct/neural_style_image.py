"""Optimise the input image itself with LBFGS; the network is only a measuring device."""
import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim

torch.manual_seed(0)
cnn = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(8, 16, 3, padding=1), nn.ReLU()).eval()
for p in cnn.parameters():
    p.requires_grad_(False)


def gram_matrix(input):
    a, b, c, d = input.size()
    features = input.view(a * b, c * d)
    return torch.mm(features, features.t()).div(a * b * c * d)


def get_input_optimizer(input_img):
    return optim.LBFGS([input_img])


content_img, style_img = torch.rand(1, 3, 32, 32), torch.rand(1, 3, 32, 32).round()
with torch.no_grad():
    content_target = cnn(content_img)
    style_target = gram_matrix(cnn(style_img))

input_img = content_img.clone()
input_img.requires_grad_(True)
optimizer = get_input_optimizer(input_img)
run = [0]
while run[0] <= 40:

    def closure():
        with torch.no_grad():
            input_img.clamp_(0, 1)
        optimizer.zero_grad()
        feats = cnn(input_img)
        style_score = F.mse_loss(gram_matrix(feats), style_target) * 1e5
        content_score = F.mse_loss(feats, content_target)
        loss = style_score + content_score
        loss.backward()
        run[0] += 1
        if run[0] % 20 == 0:
            print(f"run {run[0]}: style {style_score.item():4f} content {content_score.item():4f}")
        return loss

    optimizer.step(closure)
with torch.no_grad():
    input_img.clamp_(0, 1)
print(input_img.mean().item())
