from regularisation import with_and_without

with_and_without("data", epochs=6)
