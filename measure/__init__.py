"""Embeddings, boxes and pictures in, figures out."""
