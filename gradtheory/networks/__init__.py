"""The networks that people have: graphs of dense layers, activations, sums and norms, with their weights."""
