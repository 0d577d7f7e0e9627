"""How the offline world is trained: one module per stage, all of them resumable."""
