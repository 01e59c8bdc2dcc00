// The list of chats. Pure functions.

import { isFinal } from "./messages.js";

export const empty = {
  chats: [], // the most recently active chat is first
  chatsCursor: null, // the next page of chats begins here
};

export function put(state, chat) {
  const known = find(state, chat.id);
  if (known?.seq > chat.seq || state.gone.includes(chat.id)) return state;
  return { ...state, chats: [...state.chats.filter((other) => other !== known), chat].sort(byActivity) };
}

export function more(state, { items, nextCursor }) {
  return { ...items.reduce(put, state), chatsCursor: nextCursor };
}

export function removed(state, id) {
  return { ...state, chats: state.chats.filter((chat) => chat.id !== id) };
}

// Changes the chat of a message as the server does. A post or a final reply moves the chat up.
// A final reply makes the chat unread. A post ends the parking of its chat.
// A reply that starts, or is pending again, leaves the chat as it is.
export function active(state, message) {
  const chat = find(state, message.chatSessionId);
  const ends = message.messageType !== "user" && isFinal(message);
  const posted = message.messageType === "user" || (message.status === "pending" && message.attempt === 0);
  if (!chat || message.seq <= chat.seq || !(ends || posted)) return state;
  const at = message.completedAt ?? message.createdAt;
  const lastActiveAt = Date.parse(at) > Date.parse(chat.lastActiveAt) ? at : chat.lastActiveAt;
  const parked = ends && chat.parked;
  return put(state, { ...chat, lastActiveAt, parked, unread: ends, seq: message.seq });
}

// True while the open chat is parked and has pending replies. They wait until the user resumes the chat.
export function isPaused({ chats, openChat, messages }) {
  const parked = find({ chats }, openChat)?.parked ?? false;
  return parked && messages.some(({ status }) => status === "pending");
}

function find({ chats }, id) {
  return chats.find((chat) => chat.id === id);
}

function byActivity(one, other) {
  return Date.parse(other.lastActiveAt) - Date.parse(one.lastActiveAt);
}
