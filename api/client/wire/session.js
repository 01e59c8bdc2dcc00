// The signed-in user's session. Only this module's memory holds the access token. The refresh token is an HttpOnly
// cookie, which no script can read. After a reload, the cookie brings the session back.

import { Problem, request } from "./api.js";

const EARLY = 60; // s; an access token is exchanged this long before it expires

export class Session {
  #tell; // {signedIn, signedOut, renewed}: functions of the page
  #token = null;
  #freshUntil = 0;
  #renewal = null;
  #timer = null;

  constructor(tell) {
    this.#tell = tell;
  }

  signIn(credentials) {
    return this.#enter("/auth/sign-in", credentials);
  }

  signUp(credentials) {
    return this.#enter("/auth/sign-up", credentials);
  }

  // Ends the session on the server, even if the browser holds no cookie.
  async signOut() {
    await request("POST", "/auth/sign-out", { token: this.#token });
    this.#drop();
  }

  // All callers that need a new token at the same time share one exchange.
  renew() {
    this.#renewal ??= oneTabAtATime(() => this.#exchange()).finally(() => (this.#renewal = null));
    return this.#renewal;
  }

  // An access token that is still valid.
  async fresh() {
    if (Date.now() >= this.#freshUntil) await this.renew();
    return this.#token;
  }

  // Repeats the call once with a new token if the server refuses the first one.
  async withToken(call) {
    try {
      return await call(await this.fresh());
    } catch (problem) {
      if (problem.status !== 401 || !this.#token) throw problem;
      await this.renew();
      return call(this.#token);
    }
  }

  async #enter(path, credentials) {
    this.#accept(await request("POST", path, { body: credentials }));
  }

  async #exchange() {
    try {
      this.#accept(await request("POST", "/auth/refresh"));
    } catch (problem) {
      if (isRefusal(problem)) this.#drop();
      throw problem;
    }
  }

  #accept({ accessToken, expiresIn, user }) {
    const lifetime = Math.max(expiresIn - EARLY, expiresIn / 2) * 1000;
    this.#token = accessToken;
    this.#freshUntil = Date.now() + lifetime;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.renew().then(this.#tell.renewed, () => {}), lifetime);
    this.#tell.signedIn(user);
  }

  #drop() {
    clearTimeout(this.#timer);
    this.#token = null;
    this.#freshUntil = 0;
    this.#tell.signedOut();
  }
}

const isRefusal = (problem) => problem instanceof Problem && [400, 401, 403].includes(problem.status);

// All tabs share one cookie and its session, and each exchange replaces the cookie. So the tabs take turns.
// Browsers offer locks on https and localhost only; elsewhere the tabs do not wait for each other.
function oneTabAtATime(exchange) {
  return navigator.locks ? navigator.locks.request("holdfast-refresh", exchange) : exchange();
}
