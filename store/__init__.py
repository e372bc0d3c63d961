"""What a clinic knows: the same code in the browser and on the clinic PC; no network, no clock, no screen.

Invariants of the whole package:
- the journal is the truth (journal.py); tables are what applying it gives (apply.py, tables.py);
- a change never changes and is never lost; correcting and voiding add, nothing clinical is deleted (changes.py);
- what `commit` returned from is on disk (database.py);
- accepted by CDC is not verified by CDC (uploads.py);
- what a person can mend is a `Problem`, what failed is an `AppError` (problems.py, errors.py);
- the two ends speak through protocol.py alone.
"""
