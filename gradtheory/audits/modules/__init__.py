"""Measurements of torch modules, by hooks and by the steps that autograd records; and a monitor of their training."""
