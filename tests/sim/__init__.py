"""One clinic under one seed: the real stores, sync client, hub handler and CDC worker in a world of virtual time.

    loop.py        time that jumps, and processes that can be killed between any two steps
    disk.py        folders of files with a durable part; torn, full, failing, read-only, restored
    storage.py     the one place that knows how the store asks for its disk
    network.py     wires that lose, double, delay, and the hub and CDC as the product's code sees them
    cdc.py         a small CDC that remembers what it took and answers late, never, twice
    machines.py    a device and a hub: switching on, crashing, taking over
    nurses.py      what staff do on a device
    faults.py      what goes wrong, and the end of it
    ledger.py      what was promised to whom, noted as it happens
    invariants.py  what must hold: at each promise, at each opening, and when all is quiet
    world.py       one seed from beginning to end
    bugs.py        planted bugs, each breaking one rule: the test of this test
    run.py         many seeds on all cores, and the readable story of one

Invariants:
- one whole number is the only input: the same seed gives the same story, byte for byte, in any process;
- no socket, no file, no thread, no real clock; the product's code runs as it is, unless a bug is planted by name.
"""
