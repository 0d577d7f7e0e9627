"""The attention formulas, one mode a file, each with its paper."""
