"""How many instructions the server takes for a dialogue that is always the same: a guard that needs no quiet machine.

Time differs from run to run and from machine to machine; what callgrind counts hardly does. Each dialogue runs against
a server in the same process, without an event loop's transport between, and its count is divided by that of a
yardstick, a stretch of plain Python, so that another build of Python moves both.
"""
