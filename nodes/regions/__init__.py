"""Who stands where: drawn, found or split."""
