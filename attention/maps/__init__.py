"""Where identities act, measured and made visible."""
