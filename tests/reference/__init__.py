"""What the pages of ``docs/reference`` are made from: ``python -m tests.reference`` writes them."""
