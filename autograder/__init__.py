"""Five Beats: a PyTorch course whose assignments grade themselves."""

__version__ = "0.1.0"
