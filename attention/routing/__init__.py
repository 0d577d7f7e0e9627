"""One attention over text, picture and references: whose each token is, who sees whom, and how that is computed."""
