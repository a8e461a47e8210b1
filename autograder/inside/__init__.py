"""Everything that enters the box, shipped as a package of its own.

It shares a process with hostile code, so it holds no expected value, no label, no score.
It imports the standard library, IPython, numpy, torch and safetensors, nothing else of
ours, and nothing else of ours imports it.
"""
