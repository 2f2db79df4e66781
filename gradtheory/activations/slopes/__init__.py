"""The slope σ' of a record: its smooth pieces, its monotone branches, and their proofs."""
