"""How the cost of a session, command, file or listed entry grows with how many there are; plots of it for the docs."""
