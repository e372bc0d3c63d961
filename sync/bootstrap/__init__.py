"""From a bare Python to the running program: the environment, its packages, the way into it.

Invariant: every module here runs on the standard library alone, and is read by Python 3.8 far enough to refuse
politely, because it is what runs before anything is installed.
Invariant: `.venv` counts as ready only by its marker file, written last, so a set-up cut off anywhere is redone.
Invariant: anything the user can remedy ends as one sentence with its remedy and exit code 2, never as a traceback.
"""
