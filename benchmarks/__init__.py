"""Side by side: Fairlead, other FTP servers, and the fastest server that this machine allows.

``python -m benchmarks --help`` says what can be chosen. Rows are declared in ``rows.py``, servers in ``servers/``; the
load generator (``load/``) and the server that marks the limit (``limit/``) are C programs compiled at run time.
"""
