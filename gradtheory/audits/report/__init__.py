"""The report of an audit: its first lines, its table, its page, and its plain values for JSON."""
