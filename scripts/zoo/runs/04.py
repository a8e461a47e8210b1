from training_loop import train_mnist

train_mnist("data", epochs=4)
