"""The offline world: its renderer, its trained weights, and the training that makes them."""
