"""Load Identity Adapter: published weights that turn an identity into attention tokens."""

NODES: list = []
