// The socket: hands every event to `heard`, tells when it is there and when it is away, and never gives up.

import { io } from "/vendor/socket.io.js";

const SLOWEST_RETRY = 10_000; // ms

export function openSocket({ url, session, heard, online, offline }) {
  let refusals = 0;
  let timer = null;
  const socket = io(url, {
    transports: ["websocket"],
    reconnectionDelay: 500,
    reconnectionDelayMax: 5_000,
    auth: (give) => session.fresh().then((token) => give({ token }), () => give({})),
  });

  // Where the server ended it, or refused the token, the library doesn't try again by itself.
  function tryAgain() {
    clearTimeout(timer);
    timer = setTimeout(reconnect, Math.min(500 * 2 ** refusals++, SLOWEST_RETRY));
  }

  async function reconnect() {
    await (refusals > 1 ? session.renew() : session.fresh()).catch(() => {});
    if (!socket.connected) socket.connect();
  }

  // A new access token prolongs the living socket. One that the server won't take shows at the next connection.
  async function renew() {
    const token = await session.fresh();
    if (socket.connected) socket.emit("auth.refresh", { token }, ({ ok }) => ok || socket.disconnect().connect());
  }

  socket.onAny(heard);
  socket.on("connect", () => {
    refusals = 0;
    online();
  });
  socket.on("disconnect", (reason) => {
    offline();
    if (reason === "io server disconnect") tryAgain();
  });
  socket.on("connect_error", () => {
    offline();
    if (!socket.active) tryAgain();
  });

  return {
    renew,
    close: () => {
      clearTimeout(timer);
      socket.disconnect();
    },
  };
}
