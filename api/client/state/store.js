// The page's whole state and the one pure function that changes it: no DOM, no fetch, no clock.
// Events of the server keep their own names; what a message does with an event is in messages.js.

import * as changed from "./changes.js";
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
  ...changed.empty,
  ...conversation.empty,
};

export function reduce(state, { type, data }) {
  return (changes[type] ?? unchanged)(state, data);
}

const changes = {
  "event": heard,
  "synced": synced,
  "anew": anew,

  "signed-in": signedIn,
  "signed-out": () => ({ ...start, session: "out" }),
  "socket": (state, socket) => ({ ...state, socket }),
  "notice": (state, notice) => ({ ...state, notice }),

  "credits.changed": creditsChanged,

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
  "message.deleted": messageDeleted,
  "message.delta": conversation.delta,

  "draft.sending": conversation.draftSending,
  "draft.unsent": conversation.draftUnsent,
  "draft.discarded": conversation.draftDiscarded,
  "draft.accepted": draftAccepted,
};

const unchanged = (state) => state;

// What the socket brings.
function heard(state, { name, data }) {
  return changed.counted(reduce(state, { type: name, data }), data?.seq);
}

// A page of what was missed: rows as they are, and tombstones.
function synced(state, { chats, messages, credits, cursor }) {
  const listed = chats.reduce((so, chat) => (chat.deleted ? chatDeleted : putChat)(so, chat), state);
  const all = messages.reduce((so, one) => (one.deleted ? messageDeleted : putMessage)(so, one), listed);
  return changed.reached(creditsChanged(all, { ...credits, seq: cursor }), cursor);
}

// The first look, or one after too long: nothing that was known counts. What was read is no older than the cursor.
function anew(state, { cursor, chats, messages, credits }) {
  const { openChat, drafts } = state;
  const known = { ...state, credits: { ...state.credits, ...credits, seq: cursor } };
  const bare = { ...known, ...conversation.empty, openChat, drafts, ...changed.empty, cursor, chats: [], gone: [] };
  const listed = { ...chats.items.reduce(putChat, bare), chatsCursor: chats.nextCursor };
  return messages ? conversation.loaded(listed, { chatSessionId: openChat, ...messages }) : listed;
}

function signedIn(state, user) {
  const credits = { held: 0, seq: 0, ...state.credits, balance: user.credits };
  const notice = state.session === "in" ? state.notice : "";
  return { ...state, session: "in", user, credits, notice };
}

function creditsChanged(state, credits) {
  return credits.seq < state.credits?.seq ? state : { ...state, credits };
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

// Late news of a message that is gone still says something about its chat.
function putMessage(state, message) {
  const so = active(state, message);
  return state.gone.includes(message.id) ? so : conversation.put(so, message);
}

function messageDeleted(state, { id }) {
  return conversation.removed({ ...state, gone: [...state.gone, id] }, id);
}

// What a message does to its chat, as the server does it: it moves up, and the end of a reply is something to read.
// A reply that starts, or waits again, leaves it as it is; a post has a parked chat go on.
function active(state, message) {
  const chat = state.chats.find(({ id }) => id === message.chatSessionId);
  const ends = message.messageType !== "user" && conversation.isFinal(message);
  const posted = message.messageType === "user" || (message.status === "pending" && message.attempt === 0);
  if (!chat || message.seq <= chat.seq || !(ends || posted)) return state;
  const at = message.completedAt ?? message.createdAt;
  const lastActiveAt = Date.parse(at) > Date.parse(chat.lastActiveAt) ? at : chat.lastActiveAt;
  const parked = ends && chat.parked;
  return putChat(state, { ...chat, lastActiveAt, parked, unread: ends, seq: message.seq });
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
