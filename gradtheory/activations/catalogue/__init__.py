"""The records, by family; `gradtheory.activations` finds whatever is defined here."""
