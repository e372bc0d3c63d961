"""Who may use the hub: staff with passwords and roles, enrolled devices with keys, sessions of one on the other.

    known.py      what is known of staff and devices, and the rules over it; pure
    kept_file.py  where it is kept: one file, whole or as it was
    contacts.py   when they were last here
    passwords.py  argon2id, a few at a time
    throttle.py   how often somebody may guess
    signatures.py challenges, and what a device signed
    codes.py      codes with which one device is enrolled
    desk.py       what happens when somebody asks for one of these things
    managing.py   what a manager does with accounts and devices
    pushed.py     whose changes a device may bring; pure
    pushing.py    the same, asked of the hub
    gate.py       which route needs which role; nothing else is answered
    routes.py     the messages of store/access_protocol.py over HTTP

Invariants:
- as long as there is no account the hub serves its own computer as if this package were not there;
- from the first account on, a route that gate.py does not name as open is refused without a session, also one that
  somebody adds later;
- what is refused is refused before anything of a request's body is kept;
- passwords, tokens, codes and keys are in no log and no error.
"""
