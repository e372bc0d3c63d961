// The jobs of the build that need the browser's own Python, run under Node:
//   node pyodide.mjs compile PYODIDE_FOLDER SOURCES.bin OUT.bin          .py files in, sourceless .pyc files out
//   node pyodide.mjs try     PYODIDE_FOLDER UI_NAMES.json OUT.json       boots the images beside it, tells what NiceGUI registered
//   node pyodide.mjs memory  PYODIDE_FOLDER UI_NAMES.json OUT.bin        boots them, keeps the memory that this gives
import fs from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { readImage, unpackImage } from "../runtime/image.js";
import { packMemory } from "../runtime/memory.js";
import { PYTHON_ENV, extensionPath, makeModuleWith, pyodideOptions } from "../runtime/python.js";

const [job, folder, input, output] = process.argv.slice(2);
if (job === "memory") await import("./still.mjs");
const { loadPyodide } = await import(pathToFileURL(path.join(folder, "pyodide.mjs")));
const createModule = (await import(pathToFileURL(path.join(folder, "pyodide.asm.mjs")))).default;
const indexURL = path.resolve(folder) + path.sep;
const bytes = (file) => { const b = fs.readFileSync(file); return b.buffer.slice(b.byteOffset, b.byteOffset + b.length); };

const COMPILE = `
import os, py_compile
for path in PATHS:
    # The hash is not checked at run time, so that a .pyc needs neither its source nor a clock.
    py_compile.compile("/in/" + path, cfile="/out/" + path + "c", dfile="/" + path, doraise=True, optimize=0,
                       invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
`;

const TRY = `
import json, sys
from ui.runtime import entry
entry.register()
from ui.runtime.bridge import Request
from nicegui import dependencies, ui
from ui.language import choose_language
from ui.wording import Language
for name in UI_NAMES:
    getattr(ui, name, None)  # registers the element's component, as the first page that shows it will
from nicegui.version import __version__ as version
urls = {}
for kind, table in (("components", dependencies.js_components), ("libraries", dependencies.libraries),
                    ("esm", dependencies.esm_modules), ("resources", dependencies.resources)):
    for key, item in table.items():
        urls[f"/_nicegui/{version}/{kind}/{key}"] = str(item.path)
ui.page("/-/any")(lambda: ui.label("any"))  # what every page asks for, whatever it shows
page = ""
for language in Language:
    choose_language(language)
    page += (await entry.bridge().http(Request("/-/any"))).body.decode()
json.dumps({"version": version, "urls": urls, "page": page})
`;

// What lies in the images beside this job, started as the browser starts it.
async function start(log, { whenMade, ...options } = {}) {
  const extensions = fs.readdirSync(".", { recursive: true }).map((name) => [extensionPath(`images/${name.replaceAll(path.sep, "/")}`), name])
    .filter(([place]) => place).map(([place, name]) => [place, WebAssembly.compile(bytes(name))]);
  return loadPyodide({
    ...pyodideOptions(log), indexURL, stdLibURL: path.resolve("stdlib.zip"), env: PYTHON_ENV,
    createPyodideModule: makeModuleWith(createModule, extensions, whenMade),
    fsInit: async (FS) => ["site.bin", "app.bin"].forEach((image) => unpackImage(FS, bytes(image))),
    ...options,
  });
}

const JOBS = {
  async compile() {
    const py = await loadPyodide({ indexURL, env: { PYTHONHASHSEED: "0" } });
    const sources = readImage(bytes(input));
    for (const [name, data] of sources) {
      for (const root of ["/in/", "/out/"]) py.FS.mkdirTree(path.posix.dirname(root + name));
      py.FS.writeFile("/in/" + name, data);
    }
    py.globals.set("PATHS", py.toPy(sources.map(([name]) => name)));
    py.runPython(COMPILE);
    const out = sources.map(([name]) => [name + "c", py.FS.readFile("/out/" + name + "c")]);
    const header = JSON.stringify(out.map(([name, data]) => [name, data.length]));
    const length = Buffer.alloc(4); length.writeUInt32LE(Buffer.byteLength(header));
    fs.writeFileSync(output, Buffer.concat([length, Buffer.from(header), ...out.map(([, data]) => data)]));
  },
  async try(log) {
    const py = await start(log);
    py.globals.set("UI_NAMES", py.toPy(JSON.parse(fs.readFileSync(input, "utf8"))));
    fs.writeFileSync(output, await py.runPythonAsync(TRY));
  },
  async memory(log) {
    let table;
    const py = await start(log, { _makeSnapshot: true, whenMade: (module) => { table = module.wasmTable.length; } });
    await py.pyimport("ui.runtime.entry").rehearse();
    fs.writeFileSync(output, Buffer.concat(packMemory(py.makeMemorySnapshot(), table)));
  },
};

const log = [];
try { await JOBS[job]((line) => log.push(line)); }
catch (error) { console.error([...log, error.stack].join("\n")); process.exit(1); }
process.exit(0);
