// Who is signed in. The access token lives in this module's memory alone; the refresh token is an
// HttpOnly cookie that no script sees, and brings the session back after a reload.

import { Problem, request } from "./api.js";

const EARLY = 60; // s before it ends, an access token is exchanged for a new one

export function createSession({ signedIn, signedOut, renewed }) {
  let token = null;
  let freshUntil = 0;
  let renewal = null;
  let timer = null;

  function accept({ accessToken, expiresIn, user }) {
    const lifetime = Math.max(expiresIn - EARLY, expiresIn / 2) * 1000;
    token = accessToken;
    freshUntil = Date.now() + lifetime;
    clearTimeout(timer);
    timer = setTimeout(() => renew().then(renewed, () => {}), lifetime);
    signedIn(user);
  }

  function drop() {
    clearTimeout(timer);
    token = null;
    freshUntil = 0;
    signedOut();
  }

  async function enter(path, credentials) {
    accept(await request("POST", path, { body: credentials }));
  }

  // All who need a new token at the same time share one exchange.
  function renew() {
    renewal ??= oneTabAtATime(exchange).finally(() => (renewal = null));
    return renewal;
  }

  async function exchange() {
    try {
      accept(await request("POST", "/auth/refresh"));
    } catch (problem) {
      if (isRefusal(problem)) drop();
      throw problem;
    }
  }

  async function fresh() {
    if (Date.now() >= freshUntil) await renew();
    return token;
  }

  async function withToken(call) {
    try {
      return await call(await fresh());
    } catch (problem) {
      if (problem.status !== 401 || !token) throw problem;
      await renew();
      return call(token);
    }
  }

  async function leave() {
    await request("POST", "/auth/sign-out", { token }); // ends the session on the server, cookie or no cookie
    drop();
  }

  return {
    signIn: (credentials) => enter("/auth/sign-in", credentials),
    signUp: (credentials) => enter("/auth/sign-up", credentials),
    signOut: leave,
    renew,
    fresh,
    withToken,
  };
}

const isRefusal = (problem) => problem instanceof Problem && [400, 401, 403].includes(problem.status);

// The tabs share one cookie and its session; each exchange replaces the cookie. (No locks outside of https and localhost.)
function oneTabAtATime(exchange) {
  return navigator.locks ? navigator.locks.request("holdfast-refresh", exchange) : exchange();
}
