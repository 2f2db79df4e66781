"""Readers of networks that other programs made: torch modules, ONNX files, and weights by name."""
