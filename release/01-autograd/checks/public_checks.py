"""The public checks of this assignment are examples; what they are made of stands in probes.py."""
