"""The verbs of the interactive client, a module for each group; each is declared where it is defined."""
