"""The interactive client: lines are read, split into words, and run by the verbs that ``commands/`` declares."""
