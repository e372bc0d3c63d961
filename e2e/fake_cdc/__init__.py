"""A stand-in for the vaccination registry of Taiwan CDC, for tests and for trying out.

Invariant: imports nothing of the project it tests. It is a second reading of the interface contract; a fake that
shared the client's code would share its misreadings. What the contract leaves open is marked `# ASSUMED:`.
"""
