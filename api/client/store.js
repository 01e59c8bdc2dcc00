// The page's whole state and the one pure function that changes it: no DOM, no fetch, no clock.
// Events of the server keep their own names; what a message does with an event is in messages.js.

import * as conversation from "./messages.js";

export const start = {
  session: "unknown", // unknown | out | in
  socket: "offline", // offline | online
  user: null,
  credits: null, // {balance, held, seq}
  notice: "", // the one sentence above the composer
  chats: [], // newest activity first
  chatsCursor: null, // where the next page of them begins
  gone: [], // ids of what was deleted: an answer that is late must not bring it back
  ...conversation.empty,
};

export function reduce(state, { type, data }) {
  return (changes[type] ?? unchanged)(state, data);
}

const changes = {
  "signed-in": signedIn,
  "signed-out": () => ({ ...start, session: "out" }),
  "socket": (state, socket) => ({ ...state, socket }),
  "notice": (state, notice) => ({ ...state, notice }),

  "credits.changed": creditsChanged,

  "chats.loaded": chatsLoaded,
  "chats.more": (state, page) => ({ ...page.items.reduce(putChat, state), chatsCursor: page.nextCursor }),
  "chat.created": putChat,
  "chat.updated": putChat,
  "chat.deleted": chatDeleted,
  "chat.opened": conversation.opened,

  "messages.loaded": conversation.loaded,
  "messages.earlier": conversation.earlier,
  "message.created": putMessage,
  "message.started": putMessage,
  "message.completed": putMessage,
  "message.failed": putMessage,
  "message.cancelled": putMessage,
  "message.updated": putMessage,
  "message.deleted": (state, { id }) => conversation.removed({ ...state, gone: [...state.gone, id] }, id),
  "message.delta": conversation.delta,

  "draft.sending": conversation.draftSending,
  "draft.unsent": conversation.draftUnsent,
  "draft.discarded": conversation.draftDiscarded,
  "draft.accepted": draftAccepted,
};

const unchanged = (state) => state;

function signedIn(state, user) {
  const credits = { held: 0, seq: 0, ...state.credits, balance: user.credits };
  const notice = state.session === "in" ? state.notice : "";
  return { ...state, session: "in", user, credits, notice };
}

function creditsChanged(state, credits) {
  return credits.seq < state.credits?.seq ? state : { ...state, credits };
}

// The first page as it is now. `known` are the ids from before it was asked for: those not in it are gone,
// or further down; what has come since then stays.
function chatsLoaded(state, { items, nextCursor, known }) {
  const listed = items.map(({ id }) => id);
  const chats = state.chats.filter(({ id }) => listed.includes(id) || !known.includes(id));
  return { ...items.reduce(putChat, { ...state, chats }), chatsCursor: nextCursor };
}

function putChat(state, chat) {
  const known = state.chats.find(({ id }) => id === chat.id);
  if (known?.seq > chat.seq || state.gone.includes(chat.id)) return state;
  return { ...state, chats: [...state.chats.filter((other) => other !== known), chat].sort(byActivity) };
}

function byActivity(one, other) {
  return Date.parse(other.lastActiveAt) - Date.parse(one.lastActiveAt);
}

function chatDeleted(state, { id }) {
  const chats = state.chats.filter((chat) => chat.id !== id);
  const rest = { ...state, chats, gone: [...state.gone, id] };
  return state.openChat === id ? { ...rest, ...conversation.empty } : rest;
}

function putMessage(state, message) {
  if (state.gone.includes(message.id)) return state;
  return conversation.put(active(state, message), message);
}

// A message moves its chat to the top of the list. A new one of the user's own also has a parked chat go on.
function active(state, { chatSessionId, messageType, createdAt, completedAt, seq }) {
  const chat = state.chats.find(({ id }) => id === chatSessionId);
  const lastActiveAt = completedAt ?? createdAt;
  if (!chat || Date.parse(lastActiveAt) <= Date.parse(chat.lastActiveAt)) return state;
  const goesOn = messageType === "user" && seq > chat.seq;
  return putChat(state, { ...chat, lastActiveAt, ...(goesOn && { parked: false, seq }) });
}

// Whether messages of the open chat wait for the user to go on.
export function isPaused({ chats, openChat, messages }) {
  const parked = chats.find(({ id }) => id === openChat)?.parked ?? false;
  return parked && messages.some(({ status }) => status === "pending");
}

// The answer to a post carries the balance at that moment; `credits.changed` may have brought a later one.
function draftAccepted(state, { key, message, reply, credits }) {
  const seq = Math.max(message.seq, reply.seq);
  const stored = [message, reply].reduce(putMessage, conversation.draftDiscarded(state, key));
  return creditsChanged(stored, { ...credits, seq });
}
