"""The networks and the training of this project in PyTorch, with torch and numpy alone.

`networks` has the networks, `train` trains them on one process or on many. docs/pytorch.md says how to start it.
"""
