// How Python is started: the same in the worker and in the build's trial run.
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
