import torch

labels, guesses = torch.tensor([0, 0, 0, 1]), torch.tensor([0, 1, 1, 1])
matrix = torch.zeros(2, 2, dtype=torch.int64)
for label, guess in zip(labels, guesses):
    matrix[label, guess] += 1
print(
    "row = label:",
    matrix.tolist(),
    "the sums of rows are the classes' sizes",
    matrix.sum(1).tolist(),
)
print("exchanged:", matrix.T.tolist(), "here they are the guesses'", matrix.T.sum(1).tolist())
# > row = label: [[1, 2], [0, 1]] the sums of rows are the classes' sizes [3, 1]
# > exchanged: [[1, 0], [2, 1]] here they are the guesses' [1, 3]
