accuracies = [0.81, 0.86, 0.84]
kept = {}
for epoch, accuracy in enumerate(accuracies, 1):
    kept["last"] = epoch, accuracy
    if accuracy > kept.get("best", (0, 0.0))[1]:
        kept["best"] = epoch, accuracy
print("kept without asking:", kept["last"])
print("kept where it was better:", kept["best"])
# > kept without asking: (3, 0.84)
# > kept where it was better: (2, 0.86)
