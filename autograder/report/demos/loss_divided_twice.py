batches = [[2.0, 2.0, 2.0, 2.0], [2.0, 2.0, 2.0, 2.0]]  # every loss is 2
means = [sum(b) / len(b) for b in batches]
n = sum(len(b) for b in batches)
print("sum of means / samples:", sum(means) / n)
print("sum of mean * size / samples:", sum(m * len(b) for m, b in zip(means, batches)) / n)
# > sum of means / samples: 0.5
# > sum of mean * size / samples: 2.0
