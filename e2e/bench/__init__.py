"""What staff wait for, measured in a real browser. `python3 -m tests bench`; no test asserts a time.

Every figure is one JSON line on stdout, {"peer", "metric", "unit", "samples", "note", "load"}, and one line of the
table on stderr.
"""
