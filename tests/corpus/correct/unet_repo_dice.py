"""Segmentation as repositories do it: RMSprop, plateau on the Dice score, scaler off on a CPU, evaluation in rounds."""
import logging

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset, random_split

logging.basicConfig(level=logging.INFO, format='%(levelname)s: %(message)s')


def dice_coeff(input, target, epsilon=1e-6):
    inter = 2 * (input * target).sum(dim=(-1, -2))
    sets = input.sum(dim=(-1, -2)) + target.sum(dim=(-1, -2))
    return ((inter + epsilon) / (sets + epsilon)).mean()


def dice_loss(input, target):
    return 1 - dice_coeff(input, target)


@torch.inference_mode()
def evaluate(net, dataloader, device, amp):
    net.eval()
    score = 0
    with torch.autocast(device.type, enabled=amp):
        for image, mask_true in dataloader:
            mask_pred = (F.sigmoid(net(image.to(device))).squeeze(1) > 0.5).float()
            score += dice_coeff(mask_pred, mask_true.to(device))
    net.train()
    return score / max(len(dataloader), 1)


def train_model(model, device, epochs=3, batch_size=8, learning_rate=2e-3, val_percent=0.2, amp=False, gradient_clipping=1.0):
    g = torch.Generator().manual_seed(0)
    mask = torch.zeros(100, 16, 16)
    for m, r, c in zip(mask, *torch.randint(0, 9, (2, 100), generator=g).tolist()):
        m[r:r + 7, c:c + 7] = 1
    image = mask.unsqueeze(1) + 0.5 * torch.randn(100, 1, 16, 16, generator=g)
    dataset = TensorDataset(image, mask)
    n_val = int(len(dataset) * val_percent)
    train_set, val_set = random_split(dataset, [len(dataset) - n_val, n_val], generator=torch.Generator().manual_seed(0))
    train_loader = DataLoader(train_set, shuffle=True, batch_size=batch_size)
    val_loader = DataLoader(val_set, shuffle=False, drop_last=True, batch_size=batch_size)
    optimizer = torch.optim.RMSprop(model.parameters(), lr=learning_rate, weight_decay=1e-8, momentum=0.5)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, 'max', patience=5)
    grad_scaler = torch.amp.GradScaler(device.type, enabled=amp)
    criterion = nn.BCEWithLogitsLoss()
    global_step = 0
    for epoch in range(1, epochs + 1):
        model.train()
        epoch_loss = 0
        for images, true_masks in train_loader:
            images, true_masks = images.to(device), true_masks.to(device)
            with torch.autocast(device.type, enabled=amp):
                masks_pred = model(images)
                loss = criterion(masks_pred.squeeze(1), true_masks)
                loss += dice_loss(F.sigmoid(masks_pred.squeeze(1)), true_masks)
            optimizer.zero_grad(set_to_none=True)
            grad_scaler.scale(loss).backward()
            grad_scaler.unscale_(optimizer)
            torch.nn.utils.clip_grad_norm_(model.parameters(), gradient_clipping)
            grad_scaler.step(optimizer)
            grad_scaler.update()
            global_step += 1
            epoch_loss += loss.item()
            if global_step % 5 == 0:
                val_score = evaluate(model, val_loader, device, amp)
                scheduler.step(val_score)
                logging.info('Validation Dice score: {:.3f}'.format(val_score))
        torch.save(model.state_dict(), f'checkpoint_epoch{epoch}.pth')


torch.manual_seed(0)
device = torch.device('cuda' if torch.cuda.is_available() else 'cpu')
net = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(inplace=True), nn.Conv2d(8, 8, 3, padding=1),
                    nn.BatchNorm2d(8), nn.ReLU(inplace=True), nn.Conv2d(8, 1, 1)).to(device)
train_model(net, device)
