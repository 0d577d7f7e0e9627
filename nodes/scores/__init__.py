"""Who is who in a finished picture."""
