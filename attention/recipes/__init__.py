"""What a user chooses: recipes, a cast, its schedule."""
