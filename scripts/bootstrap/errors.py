"""The one exception of the scripts: a sentence for the person who runs them."""


class Refusal(Exception):
    """Why the command cannot go on: what was found, what was needed, what to do. Shown without a traceback."""
