group, waiting, used = 4, 0, 0
for batch in range(1, 11):
    waiting += 1
    if batch % group == 0:
        used, waiting = used + waiting, 0
print("of 10 batches", used, "moved a weight, and", waiting, "were cleared away")
# > of 10 batches 8 moved a weight, and 2 were cleared away
