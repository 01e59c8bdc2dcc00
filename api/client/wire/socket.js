// The socket. It passes every event to `heard`, reports when it is online or offline, and never stops reconnecting.

import { io } from "/vendor/socket.io.js";

const FIRST_RETRY = 500; // ms
const SLOWEST_RETRY = 10_000; // ms

export function openSocket({ url, session, heard, online, offline }) {
  const socket = io(url, {
    transports: ["websocket"],
    reconnectionDelay: 500,
    reconnectionDelayMax: 5_000,
    auth: (give) => session.fresh().then((token) => give({ token }), () => give({})),
  });
  const retries = createRetries(socket, session);

  socket.onAny(heard);
  socket.on("connect", () => {
    retries.succeeded();
    online();
  });
  socket.on("disconnect", (reason) => {
    offline();
    if (reason === "io server disconnect") retries.next();
  });
  socket.on("connect_error", () => {
    offline();
    if (!socket.active) retries.next();
  });

  return {
    renew: () => renew(socket, session),
    close: () => {
      retries.cancel();
      socket.disconnect();
    },
  };
}

// The library does not retry after the server has ended the socket or refused its token. This does.
function createRetries(socket, session) {
  let refusals = 0;
  let timer = null;

  function next() {
    clearTimeout(timer);
    timer = setTimeout(reconnect, Math.min(FIRST_RETRY * 2 ** refusals++, SLOWEST_RETRY));
  }

  async function reconnect() {
    await (refusals > 1 ? session.renew() : session.fresh()).catch(() => {});
    if (!socket.connected) socket.connect();
  }

  return { next, succeeded: () => (refusals = 0), cancel: () => clearTimeout(timer) };
}

// A new access token keeps the open socket alive. If the server refuses the token, the socket connects anew.
async function renew(socket, session) {
  const token = await session.fresh();
  if (socket.connected) socket.emit("auth.refresh", { token }, ({ ok }) => ok || socket.disconnect().connect());
}
