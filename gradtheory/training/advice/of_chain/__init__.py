"""Advice on a chain: plans of remedies are tried together, and with each left out, on many short runs at once."""
