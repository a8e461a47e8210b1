"""Segmentation with a scaler that is on: the clip comes before the gradients have their true size."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def train_model(model, loader, device, amp=True, gradient_clipping=1.0):
    optimizer = torch.optim.RMSprop(model.parameters(), lr=2e-3, momentum=0.5)
    grad_scaler = torch.amp.GradScaler(device.type, enabled=amp)
    criterion = nn.BCEWithLogitsLoss()
    for epoch in range(3):
        model.train()
        for images, masks in loader:
            with torch.autocast(device.type, dtype=torch.bfloat16, enabled=amp):
                pred = model(images.to(device)).squeeze(1)
            loss = criterion(pred.float(), masks.to(device))
            optimizer.zero_grad(set_to_none=True)
            grad_scaler.scale(loss).backward()
            nn.utils.clip_grad_norm_(model.parameters(), gradient_clipping)
            grad_scaler.unscale_(optimizer)
            grad_scaler.step(optimizer)
            grad_scaler.update()
        print(epoch, loss.item(), grad_scaler.get_scale())


torch.manual_seed(0)
masks = torch.zeros(96, 12, 12)
for m, r in zip(masks, torch.randint(0, 6, (96,)).tolist()):
    m[r:r + 6, r:r + 6] = 1
images = masks[:, None] + 0.4 * torch.randn(96, 1, 12, 12)
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
net = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 1, 3, padding=1)).to(device)
train_model(net, DataLoader(TensorDataset(images, masks), 16, shuffle=True), device)
