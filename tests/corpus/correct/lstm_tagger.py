import torch, torch.nn as nn, torch.nn.functional as F, torch.optim as optim
torch.manual_seed(1)
training_data = [("The dog ate the apple".split(), ["DET", "NN", "V", "DET", "NN"]), ("Everybody read that book".split(), ["NN", "V", "DET", "NN"])]
def prep(seq, to_ix): return torch.tensor([to_ix[w] for w in seq], dtype=torch.long)
word_to_ix = {}
for s, _ in training_data:
    for w in s:
        word_to_ix.setdefault(w, len(word_to_ix))
tag_to_ix = {"DET": 0, "NN": 1, "V": 2}
class LSTMTagger(nn.Module):
    def __init__(self, e, h, v, t):
        super().__init__()
        self.word_embeddings = nn.Embedding(v, e); self.lstm = nn.LSTM(e, h); self.hidden2tag = nn.Linear(h, t)
    def forward(self, sentence):
        embeds = self.word_embeddings(sentence)
        out, _ = self.lstm(embeds.view(len(sentence), 1, -1))
        return F.log_softmax(self.hidden2tag(out.view(len(sentence), -1)), dim=1)
model = LSTMTagger(6, 6, len(word_to_ix), 3)
loss_function = nn.NLLLoss()
optimizer = optim.SGD(model.parameters(), lr=0.1)
with torch.no_grad():
    print(model(prep(training_data[0][0], word_to_ix)))
for epoch in range(60):
    for sentence, tags in training_data:
        model.zero_grad()
        tag_scores = model(prep(sentence, word_to_ix))
        loss = loss_function(tag_scores, prep(tags, tag_to_ix))
        loss.backward()
        optimizer.step()
with torch.no_grad():
    print(model(prep(training_data[0][0], word_to_ix)).argmax(1))
