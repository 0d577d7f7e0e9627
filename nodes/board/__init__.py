"""Cast Board: who is in the picture, where, and in which words, on one canvas."""
