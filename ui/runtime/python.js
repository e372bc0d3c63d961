// How Python is started: the same in the worker and in the build's trial runs.
export const PYTHON_ENV = {
  PYTHONPATH: "/app:/site",
  PYTHONHASHSEED: "0",
  PYTHONDONTWRITEBYTECODE: "1",
  PYDANTIC_DISABLE_PLUGINS: "__all__",
  HOME: "/home/pyodide",
  NICEGUI_STORAGE_PATH: "/tmp/nicegui",
};

export function pyodideOptions(log) {
  return {
    // No package is ever loaded by Pyodide itself: the list is empty and needs no network.
    lockFileContents: '{"info":{"arch":"wasm32","platform":"emscripten_5_0_3","version":"314.0.7","python":"3.14.2","abi_version":"2026_0"},"packages":{}}',
    packageBaseUrl: "/",
    stdout: log,
    stderr: log,
  };
}

// A wrapper of Pyodide's module maker that links extension modules before Python begins, so that importing one finds it
// loaded, and that their place in memory and in the function table is the same at every start (memory.js needs that).
// Shape: `extensions` is [[path, WebAssembly.Module or a promise of one]]; `whenMade` is called with the module.
export function makeModuleWith(create, extensions, whenMade = () => {}) {
  const link = async (module) => {
    for (const [path, compiled] of extensions) {
      const exports = await module.loadWebAssemblyModule(await compiled, { loadAsync: true, nodelete: true, global: false, allowUndefined: true }, path, {});
      Object.assign(module.newDSO(path, undefined, exports), { global: false, refcount: Infinity });
    }
  };
  return async (settings) => {
    let failed;
    const failure = new Promise((_, reject) => (failed = reject));
    settings.preRun.push((module) => {
      module.addRunDependency("extensions");
      link(module).then(() => module.removeRunDependency("extensions"), failed);
    });
    const module = await Promise.race([create(settings), failure]);
    await whenMade(module);
    return module;
  };
}

// The place of an extension module in Python's file system, or null for any other file of the bundle.
export function extensionPath(name) {
  return name.startsWith("images/") && name.endsWith(".so.wasm") ? name.slice("images".length, -".wasm".length) : null;
}

// Whether the memory kept by the build is worth fetching: engines without stack switching (WebKit) lay out their function
// table otherwise, so it could never be put in place there. sw.js keeps to the same rule.
export const canRestore = () => "Suspending" in WebAssembly;
