"""Adapters, and the cast on a model."""
