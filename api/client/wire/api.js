// The REST API as promises. Each ends with an answer, or with a Problem that holds the sentence to show.

const PATIENCE = 15_000; // ms; a later answer counts as lost

export class Problem extends Error {
  constructor({ status = 0, code = "", detail = "", retryable = false }) {
    super(detail);
    Object.assign(this, { status, code, retryable });
  }
}

export async function request(method, path, { body, token, key } = {}) {
  const headers = {
    ...(body && { "Content-Type": "application/json" }),
    ...(token && { Authorization: `Bearer ${token}` }),
    ...(key && { "Idempotency-Key": key }),
  };
  const signal = AbortSignal.timeout(PATIENCE);
  try {
    return await read(await fetch(path, { method, headers, signal, body: body && JSON.stringify(body) }));
  } catch (error) {
    throw error instanceof Problem ? error : lost();
  }
}

// A file of any size: the browser stores it while it arrives, so there is no time limit.
async function download(path, token) {
  try {
    const response = await fetch(path, { headers: { Authorization: `Bearer ${token}` } });
    if (!response.ok) await read(response);
    const [, name] = /filename="(.+)"/.exec(response.headers.get("Content-Disposition"));
    return { name, blob: await response.blob() };
  } catch (error) {
    throw error instanceof Problem ? error : lost();
  }
}

async function read(response) {
  if (response.status === 204) return null;
  if (response.ok) return response.json();
  const problem = await response.json().catch(() => ({}));
  const wrong = Object.values(problem.errors ?? {}).flat().join(" ");
  const detail = wrong || problem.detail || `The server answered with ${response.status}. Try again in a moment.`;
  throw new Problem({ retryable: response.status >= 500, ...problem, detail, status: response.status });
}

function lost() {
  return new Problem({ code: "network", detail: "The server can't be reached.", retryable: true });
}

// Every call of a signed-in page. Each carries the session's token.
export function createApi(session) {
  const call = (method, path, options) =>
    session.withToken((token) => request(method, path, { ...options, token }));
  const file = (path, format) => session.withToken((token) => download(`${path}?${query({ format })}`, token));
  return {
    chats: (cursor) => call("GET", `/chats?${query({ sort: "lastActiveAt", cursor })}`),
    archived: (cursor) => call("GET", `/chats?${query({ sort: "lastActiveAt", archived: "true", cursor })}`),
    chat: (id) => call("GET", `/chats/${id}`),
    search: (q, cursor) => call("GET", `/search?${query({ q, cursor })}`),
    exportAll: (format) => file("/export", format),
    exportChat: (id, format) => file(`/chats/${id}/export`, format),
    createChat: (body = {}) => call("POST", "/chats", { body }),
    changeChat: (id, changes) => call("PATCH", `/chats/${id}`, { body: changes }),
    deleteChat: (id) => call("DELETE", `/chats/${id}`),
    messages: (id, cursor, limit) => call("GET", `/chats/${id}/messages?${query({ order: "desc", cursor, limit })}`),
    message: (chatId, id) => call("GET", `/chats/${chatId}/messages/${id}`),
    stop: (chatId, id) => call("POST", `/chats/${chatId}/messages/${id}/stop`),
    deleteMessage: (chatId, id) => call("DELETE", `/chats/${chatId}/messages/${id}`),
    resume: (chatId) => call("POST", `/chats/${chatId}/queue/resume`),
    sync: (after) => call("GET", `/sync${after === null ? "" : `?after=${after}`}`),
    seen: (chatId, seq) => call("PUT", `/chats/${chatId}/seen`, { body: { seq } }),
    again: (chatId, id, verb, key) => call("POST", `/chats/${chatId}/messages/${id}/${verb}`, { body: {}, key }),
    rewrite: (chatId, id, content, key) => call("PATCH", `/chats/${chatId}/messages/${id}`, { body: { content }, key }),
    versions: (chatId, id, cursor) => call("GET", `/chats/${chatId}/messages/${id}/versions?${query({ cursor })}`),
    show: (chatId, id) => call("PUT", `/chats/${chatId}/messages/${id}/shown`),
    fork: (chatId, messageId, key) => call("POST", `/chats/${chatId}/fork`, { body: { messageId }, key }),
    queue: (chatId, cursor) => call("GET", `/chats/${chatId}/queue?${query({ cursor })}`),
    reorder: (chatId, order, ifSeq) => call("PUT", `/chats/${chatId}/queue`, { body: { order, ifSeq } }),
    dequeue: (chatId, id) => call("DELETE", `/chats/${chatId}/queue/${id}`),
    post: (chatId, content, key) => call("POST", `/chats/${chatId}/messages`, { body: { content }, key }),
  };
}

function query(values) {
  return new URLSearchParams(Object.entries(values).filter(([, value]) => value));
}
