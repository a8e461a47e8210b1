# 点集分类:PointNet 风格
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, Dataset

torch.manual_seed(2024)


class 点云数据集(Dataset):
    """三类形状: 圆环, 方框, 十字"""

    def __init__(self, 数量):
        self.标签 = torch.randint(0, 3, (数量,))
        self.点 = torch.stack([self.采样(int(c)) for c in self.标签])

    @staticmethod
    def 采样(类别, n=40):
        t = torch.rand(n) * 2 - 1
        边 = torch.randint(0, 2, (n,)).float()
        符号 = torch.where(torch.rand(n) < 0.5, -1.0, 1.0)
        if 类别 == 0:
            p = torch.stack([torch.cos(t * torch.pi), torch.sin(t * torch.pi)], 1)
        elif 类别 == 1:
            p = torch.stack([边 * t + (1 - 边) * 符号, 边 * 符号 + (1 - 边) * t], 1)
        else:
            p = torch.stack([边 * t, (1 - 边) * t], 1)
        return p + 0.08 * torch.randn(n, 2)

    def __len__(self):
        return len(self.标签)

    def __getitem__(self, i):
        return {"points": self.点[i], "label": self.标签[i]}


class 点网络(nn.Module):
    def __init__(self, 类别数=3):
        super().__init__()
        self.层 = nn.ModuleDict({
            "逐点": nn.Sequential(nn.Linear(2, 32), nn.ReLU(), nn.Linear(32, 64), nn.ReLU()),
            "分类": nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 类别数)),
            "概率": nn.Softmax(dim=-1),
        })

    def forward(self, 批):
        特征 = self.层["逐点"](批["points"]).max(dim=1).values
        return {"scores": self.层["概率"](self.层["分类"](特征)), "feature": 特征}


class 损失计算:
    def __init__(self):
        self.交叉熵 = nn.CrossEntropyLoss()

    def __call__(self, 输出, 批):
        return self.交叉熵(输出["scores"], 批["label"])


训练集 = DataLoader(点云数据集(600), batch_size=30, shuffle=True)
验证集 = DataLoader(点云数据集(150), batch_size=50)
模型, 计算损失 = 点网络(), 损失计算()
优化器 = torch.optim.Adam(模型.parameters(), lr=2e-3)
for 轮 in range(5):
    模型.train()
    for 批 in 训练集:
        优化器.zero_grad()
        损失 = 计算损失(模型(批), 批)
        损失.backward()
        优化器.step()
    模型.eval()
    with torch.no_grad():
        对 = sum((模型(批)["scores"].argmax(-1) == 批["label"]).sum().item() for 批 in 验证集)
    print(f"第{轮 + 1}轮 损失={损失.item():.4f} 验证准确率={对 / 150:.3f}")
