"""What carries the NiceGUI pages in the browser.

shell.js     the page at top level: worker, iframe, leader election, updates, a failed start
worker.js    starts Python and hands it requests and sockets
sw.js        the service worker: keeps builds, answers every request from one of them or from Python
socket.js    in the iframe: NiceGUI's socket over a message port
python.js    how Python is started, in the worker and at the build
memory.js    Python's memory after a start: kept by the build, put in place at each start
sodium.js    libsodium: sealing, key derivation, in the worker and in the shell
vault.js     the device's keys, and what each person's PIN opens
pin.js       what takes long about a PIN, in a thread that ends
lock.js      the lock: who unlocked, for all tabs; idleness; locking
lock_screen.js  what stands before the desk while it is locked: people, PIN, password, enrolment
access.js    what the shell asks the hub: enrolment, signing in
sealing.js   one file sealed: its format, reading, appending, cutting
sealed_folder.js  a store's folder of such files, what is known of each apart from it, sealing one that is in clear
storage.js   OPFS and IndexedDB, for browser_storage.py and for the export without Python
entry.py     what worker.js calls; the only Python here that touches JavaScript objects
bridge.py    an ASGI server without a network
"""
