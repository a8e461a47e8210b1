"""Which language is a name from? A recurrent net by hand, one name at a time, weights updated by hand."""
import random
import string

import torch
import torch.nn as nn

random.seed(1)
torch.manual_seed(1)
letters = string.ascii_lowercase
ends = {"Italian": ["ini", "etti", "ello"], "Russian": ["ov", "sky", "enko"], "Greek": ["akis", "opoulos", "idis"]}
categories = list(ends)


def random_name(category):
    stem = "".join(random.choice("bcdfgklmnprst") + random.choice("aeiou") for _ in range(random.randint(1, 2)))
    return stem + random.choice(ends[category])


def line_to_tensor(line):
    t = torch.zeros(len(line), 1, len(letters))
    for i, ch in enumerate(line):
        t[i][0][letters.index(ch)] = 1
    return t


class RNN(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super(RNN, self).__init__()
        self.hidden_size = hidden_size
        self.i2h = nn.Linear(input_size + hidden_size, hidden_size)
        self.h2o = nn.Linear(hidden_size, output_size)
        self.softmax = nn.LogSoftmax(dim=1)

    def forward(self, input, hidden):
        hidden = torch.tanh(self.i2h(torch.cat((input, hidden), 1)))
        return self.softmax(self.h2o(hidden)), hidden

    def init_hidden(self):
        return torch.zeros(1, self.hidden_size)


rnn = RNN(len(letters), 48, len(categories))
criterion = nn.NLLLoss()
learning_rate = 0.02


def train(category_tensor, line_tensor):
    hidden = rnn.init_hidden()
    rnn.zero_grad()
    for i in range(line_tensor.size()[0]):
        output, hidden = rnn(line_tensor[i], hidden)
    loss = criterion(output, category_tensor)
    loss.backward()
    for p in rnn.parameters():
        p.data.add_(p.grad.data, alpha=-learning_rate)
    return output, loss.item()


current_loss = 0
for it in range(1, 601):
    c = random.randrange(len(categories))
    name = random_name(categories[c])
    output, loss = train(torch.tensor([c]), line_to_tensor(name))
    current_loss += loss
    if it % 100 == 0:
        guess = output.topk(1)[1].item()
        print(it, f"{current_loss / 100:.4f}", name, categories[guess], "ok" if guess == c else "no")
        current_loss = 0

with torch.no_grad():
    right = 0
    for _ in range(60):
        c = random.randrange(3)
        h = rnn.init_hidden()
        for t in line_to_tensor(random_name(categories[c])):
            out, h = rnn(t, h)
        right += int(out.argmax(1).item() == c)
print("accuracy", right / 60)
