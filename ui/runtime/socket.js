// First script of every page: NiceGUI's socket goes to the worker instead of the network; every other socket is untouched.
// The page tells the shell around it when it is connected and where it is.
(() => {
  const desk = window.top.desk;
  const Native = window.WebSocket;

  class DeskSocket extends EventTarget {
    constructor(url) {
      super();
      Object.assign(this, { url: url.href, readyState: 0, binaryType: "blob", bufferedAmount: 0, protocol: "", extensions: "" });
      this.onopen = this.onmessage = this.onclose = this.onerror = null;
      const channel = new MessageChannel();
      this.port = channel.port1;
      this.port.onmessage = (event) => this.receive(...event.data);
      this.leave = () => this.close(1001);
      addEventListener("pagehide", this.leave);
      desk.openSocket({
        path: url.pathname, query: url.search.slice(1), host: location.host, scheme: url.protocol.slice(0, -1), body: null,
        headers: [["origin", location.origin], ["user-agent", navigator.userAgent]],
      }, channel.port2, this);
    }
    tell(event) {
      this["on" + event.type]?.(event);
      this.dispatchEvent(event);
    }
    receive(kind, data) {
      if (this.readyState === 3) return;
      if (kind === "open") { this.readyState = 1; this.tell(new Event("open")); }
      else if (kind === "text") this.tell(new MessageEvent("message", { data }));
      else if (kind === "binary") this.tell(new MessageEvent("message", { data: this.binaryType === "blob" ? new Blob([data]) : data.buffer }));
      else if (kind === "close") this.end(data, true);
    }
    send(data) {
      if (this.readyState !== 1) throw new DOMException("the socket is not open", "InvalidStateError");
      if (typeof data === "string") this.port.postMessage(["text", data]);
      else if (data instanceof Blob) data.arrayBuffer().then((buffer) => this.port.postMessage(["binary", new Uint8Array(buffer)]));
      else this.port.postMessage(["binary", ArrayBuffer.isView(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice() : new Uint8Array(data.slice(0))]);
    }
    close(code = 1000) {
      if (this.readyState >= 2) return;
      this.readyState = 2;
      this.port.postMessage(["close", code]);
      queueMicrotask(() => this.end(code, true));
    }
    end(code, wasClean) {
      this.readyState = 3;
      removeEventListener("pagehide", this.leave);
      this.port.close();
      this.tell(new CloseEvent("close", { code, wasClean }));
    }
  }
  for (const [name, value] of Object.entries({ CONNECTING: 0, OPEN: 1, CLOSING: 2, CLOSED: 3 })) DeskSocket[name] = DeskSocket.prototype[name] = value;

  window.WebSocket = new Proxy(Native, {
    construct(target, [url, protocols]) {
      const to = new URL(url, location.href);
      if (to.host === location.host && to.pathname.startsWith("/_nicegui_ws/")) return new DeskSocket(to);
      return protocols === undefined ? new target(url) : new target(url, protocols);
    },
  });

  // What she types and taps before the socket is through its handshake waits here in order. Of itself nicegui.js lets each
  // event wait on a timer of its own, so that the tap on a button could pass the text typed before it.
  let socket;
  let waiting = [];
  Object.defineProperty(window, "socket", { get: () => socket, set: (made) => {
    const emit = made.emit.bind(made);
    made.emit = (name, ...rest) => {
      if (name === "event") keepTyped(rest[0]);
      return waiting && name !== "handshake" ? waiting.push([name, ...rest]) : emit(name, ...rest);
    };
    const on = made.on.bind(made);
    made.on = (name, handler) => on(name, name !== "update" ? handler : (elements) => {
      Object.entries(elements).forEach(([id, element]) => {
        if (element?.heard !== undefined) Object.defineProperty(elements, id, { enumerable: true, get: () => (keepUnheard(id, element), keepMarked(), element) });
      });
      return handler(elements);
    });
    socket = made;
  } });

  // Typed text becomes what the page knows of its field. Of itself nicegui.js goes on knowing what Python last set, and puts
  // that back over the typed text when word of the setting comes late.
  const typed = new Map();
  function keepTyped({ id, listener_id, args }) {
    const element = mounted_app.elements[id];
    const event = element?.events.find((one) => one.listener_id === listener_id);
    if (event?.type !== "update:value") return;
    element.props.value = JSON.parse(args[0]);
    typed.set(Number(id), (typed.get(Number(id)) ?? 0) + 1);
  }

  // What Python set before it heard of the last typing (ui/field_values.py counts) comes too late: it will hear of that yet.
  // Asked when nicegui.js takes the text up: until then it waits in a queue, and she types on.
  function keepUnheard(id, element) {
    if (element.heard < typed.get(Number(id)) && mounted_app.elements[id]) element.props.value = mounted_app.elements[id].props.value;
  }

  // A field she came to is marked whole, to be typed over. A text that Python fills in right then would put the cursor behind
  // itself, and what she types would be appended: "1" became "11".
  async function keepMarked() {
    const field = document.activeElement;
    if (!field?.matches("input, textarea") || field.selectionStart !== 0 || field.selectionEnd !== field.value.length) return;
    const before = field.value;
    await mounted_app.$nextTick(); // the text is with Vue
    await mounted_app.$nextTick(); // and in the field
    if (document.activeElement === field && field.value !== before) field.select();
  }

  // nicegui.js sets this global when the handshake is through; there is no event for it.
  Object.defineProperty(window, "did_handshake", { get: () => socket !== undefined, set: (value) => {
    if (!value) return;
    const before = waiting ?? [];
    waiting = null;
    for (const event of before) socket.emit(...event);
    desk.pageReady();
  } });

  for (const name of ["pushState", "replaceState"]) {
    const native = history[name];
    history[name] = function (...args) { native.apply(this, args); desk.located(); };
  }
  addEventListener("popstate", () => desk.located());
  addEventListener("hashchange", () => desk.located());
})();
