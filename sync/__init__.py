"""The clinic PC: serves the browsers, keeps the clinic's journal, talks to the CDC.

Browsers start every exchange with the hub, and the hub starts every exchange with the CDC. Between runs the hub
remembers only the journal and its settings; what is still to be sent follows from the journal.
"""
