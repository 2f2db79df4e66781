"""Advice on a network: changes are tried one after another, the smallest first."""
