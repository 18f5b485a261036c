"""The connections of a session drawn as one sequence diagram, whatever told of them: a session, a capture, a file."""
