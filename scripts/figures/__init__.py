"""How the bench judges, keeps and shows its figures."""
