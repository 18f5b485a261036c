"""Programs of other people that the tests talk to: where they are, how each is started and ended."""
