// The page's whole state, and the one pure function that changes it: no DOM, no fetch, no clock.
// Events of the server keep their own names. Each part of the state has a module of its own in this folder.

import * as changed from "./changes.js";
import * as chats from "./chats.js";
import * as drafts from "./drafts.js";
import * as conversation from "./messages.js";
import * as search from "./search.js";
import * as typing from "./typed.js";
import * as waiting from "./waiting.js";

export const start = {
  session: "unknown", // unknown | out | in
  socket: "offline", // offline | online
  user: null,
  credits: null, // {balance, held, seq}
  models: [], // the names of the models that a reply may come from
  archiveShown: false, // true while the list shows the archived chats
  notice: "", // the sentence above the composer
  gone: [], // ids of deleted rows; a late answer about one of them is ignored, else the row would come back
  ...changed.empty,
  ...chats.empty,
  ...conversation.empty,
  ...drafts.empty,
  ...search.empty,
  ...typing.empty,
};

export function reduce(before, { type, data }) {
  const state = change(before, type, data);
  return state === before ? before : changed.onward(state, chats.firstWithoutRow(state));
}

function change(state, type, data) {
  return (changes[type] ?? unchanged)(state, data);
}

const changes = {
  "event": heard,
  "synced": synced,
  "anew": anew,

  "signed-in": signedIn,
  "signed-out": () => ({ ...start, session: "out" }),
  "socket": (state, socket) => ({ ...state, socket }),
  "models": (state, models) => ({ ...state, models }),
  "notice": (state, notice) => ({ ...state, notice }),

  "credits.changed": creditsChanged,

  "chats.more": chats.more,
  "archive.shown": (state, archiveShown) => ({ ...state, archiveShown }),
  "archive.more": chats.moreArchived,
  "search.asked": search.asked,
  "search.found": search.found,
  "search.failed": search.failed,

  "chat.created": chats.put,
  "chat.updated": chats.put,
  "chat.deleted": chatDeleted,
  "chat.opened": conversation.opened,
  "chat.begun": chatBegun,

  "messages.loaded": conversation.loaded,
  "messages.earlier": conversation.earlier,
  "messages.versions": conversation.versioned,
  "message.found": (state, id) => ({ ...state, found: { id } }),
  "queue.read": waiting.placed,
  "message.created": putMessage,
  "message.started": putMessage,
  "message.completed": putMessage,
  "message.failed": putMessage,
  "message.cancelled": putMessage,
  "message.updated": putMessage,
  "message.deleted": messageDeleted,
  "message.delta": conversation.delta,

  "kept": kept,
  "typed": typing.typed,
  "typed.returned": typing.returned,

  "draft.sending": drafts.sending,
  "draft.unsent": drafts.unsent,
  "draft.discarded": drafts.discarded,
  "draft.accepted": draftAccepted,
};

const unchanged = (state) => state;

// An event from the socket. An event up to the cursor is late, and the page has seen its change.
function heard(state, { name, data }) {
  return data?.seq <= state.cursor ? state : changed.counted(change(state, name, data), data?.seq);
}

// A page of missed changes: each is a row or a tombstone.
function synced(state, { chats: rows, messages, credits, cursor, hasMore = false }) {
  const listed = rows.reduce((so, chat) => (chat.deleted ? chatDeleted : chats.put)(so, chat), state);
  const all = messages.reduce((so, one) => (one.deleted ? messageDeleted : putMessage)(so, one), listed);
  return changed.reached(creditsChanged(all, { ...credits, seq: cursor }), cursor, hasMore);
}

// The first sync, or one after a reset. The new rows replace everything known; none is older than the cursor.
// Changes during the reading are left to the next sync.
function anew(state, { cursor, chats: page, messages, credits }) {
  const { openChat } = state;
  const known = { ...state, credits: { ...state.credits, ...credits, seq: cursor } };
  const bare = { ...known, ...chats.empty, ...conversation.empty, openChat, ...changed.empty, gone: [] };
  const listed = changed.reached(chats.more(bare, page), cursor, true);
  return messages ? conversation.loaded(listed, { chatSessionId: openChat, ...messages }) : listed;
}

function signedIn(state, user) {
  const credits = { held: 0, seq: 0, ...state.credits, balance: user.credits };
  const notice = state.session === "in" ? state.notice : "";
  return { ...state, session: "in", user, credits, notice };
}

// The unsent words of an earlier page, which the browser has kept.
function kept(state, { typed, drafts: posts }) {
  return drafts.restored(typing.restored(state, typed), posts);
}

function creditsChanged(state, credits) {
  return credits.seq < state.credits?.seq ? state : { ...state, credits };
}

// Opens the user's new chat, unless the user has opened another one meanwhile.
function chatBegun(state, id) {
  const written = drafts.adopted(typing.adopted(state, id), id);
  return state.openChat === null ? conversation.begun({ ...written, archiveShown: false }, id) : written;
}

function chatDeleted(state, { id }) {
  const unwritten = drafts.removed(typing.removed(state, id), id);
  const rest = { ...chats.removed(unwritten, id), gone: [...state.gone, id] };
  return state.openChat === id ? { ...rest, ...conversation.empty } : rest;
}

// A late event of a deleted message still changes its chat.
function putMessage(state, message) {
  return conversation.put(chats.active(state, message), message);
}

function messageDeleted(state, { id }) {
  return conversation.removed(typing.removed({ ...state, gone: [...state.gone, id] }, id), id);
}

// The answer carries the balance right after the post. A later one from `credits.changed` stays.
function draftAccepted(state, { key, message, reply, credits }) {
  const seq = Math.max(message.seq, reply.seq);
  const stored = [message, reply].reduce(putMessage, drafts.discarded(state, key));
  return creditsChanged(stored, { ...credits, seq });
}
