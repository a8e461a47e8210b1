"""Semi-supervised mean teacher: teacher in no_grad, moved by hand towards the student."""
import copy

import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(1)
centres = torch.randn(4, 8) * 2.5
lab_y = torch.arange(4).repeat(10)
lab_x = centres[lab_y] + torch.randn(40, 8)
unl_x = centres[torch.randint(4, (400,))] + torch.randn(400, 8)
test_y = torch.randint(4, (200,))
test_x = centres[test_y] + torch.randn(200, 8)


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(8, 32)
        self.drop = nn.Dropout(0.3)
        self.b = nn.Linear(32, 4)

    def forward(self, x):
        return self.b(self.drop(F.relu(self.a(x))))


student = Classifier()
teacher = copy.deepcopy(student)
teacher.requires_grad_(False)
optimizer = torch.optim.SGD(student.parameters(), lr=0.05, momentum=0.9, nesterov=True)
for step in range(120):
    student.train()
    teacher.train()          # the noise on the teacher's side is part of the method
    li = torch.randint(40, (16,))
    ui = torch.randint(400, (48,))
    noisy = lambda t: t + 0.1 * torch.randn_like(t)
    sup = F.cross_entropy(student(noisy(lab_x[li])), lab_y[li])
    with torch.no_grad():
        t = F.softmax(teacher(noisy(unl_x[ui])), 1)
    s = F.softmax(student(noisy(unl_x[ui])), 1)
    loss = sup + min(1.0, step / 60) * F.mse_loss(s, t)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    with torch.no_grad():
        alpha = min(1 - 1 / (step + 1), 0.97)
        for tp, sp in zip(teacher.parameters(), student.parameters()):
            tp.mul_(alpha).add_(sp, alpha=1 - alpha)
student.eval()
teacher.eval()
with torch.no_grad():
    for name, net in (("student", student), ("teacher", teacher)):
        print(name, (net(test_x).argmax(1) == test_y).float().mean().item())
