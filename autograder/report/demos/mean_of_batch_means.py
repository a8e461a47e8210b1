batches = [[1.0, 1.0, 1.0, 1.0], [6.0]]  # the last batch is smaller
means = [sum(b) / len(b) for b in batches]
samples = [loss for b in batches for loss in b]
print("mean of the batches' means:", sum(means) / len(means))
print("mean over all samples:", sum(samples) / len(samples))
# > mean of the batches' means: 3.5
# > mean over all samples: 2.0
