"""Published adapter files: what they hold, and the modules that turn an identity into tokens, keys and values."""
