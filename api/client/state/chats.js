// The list of chats. Pure functions.

import { isFinal } from "./messages.js";

export const empty = {
  chats: [], // the most recently active chat is first
  chatsCursor: null, // the next page of chats begins here
  archiveRead: false, // true once the first page of the archived chats has been read
  archiveCursor: null, // the next page of them begins here
  activity: {}, // id -> the messages that moved a chat since its row, see active(); of chats without a row too
};

const NOTHING = { first: Infinity, seq: 0, posted: 0 };

// A row replaces an older one. Messages that are newer than the row have moved the chat since.
export function put(state, row) {
  if (find(state, row.id)?.since > row.seq || state.gone.includes(row.id)) return state;
  return listed(state, { ...row, since: row.seq });
}

export function more(state, { items, nextCursor }) {
  return { ...items.reduce(put, state), chatsCursor: nextCursor };
}

export function moreArchived(state, { items, nextCursor }) {
  return { ...items.reduce(put, state), archiveRead: true, archiveCursor: nextCursor };
}

// The list shows the archived chats, or the others.
export function shelfOf({ chats, archiveShown }) {
  return chats.filter(({ archived = false }) => archived === archiveShown);
}

export function removed(state, id) {
  const { [id]: _, ...activity } = state.activity;
  return { ...state, chats: state.chats.filter((chat) => chat.id !== id), activity };
}

// Changes the chat of a message as the server does. A post or a final reply moves the chat up.
// A final reply makes the chat unread. A post ends the parking of its chat.
// A reply that starts, or is pending again, leaves the chat as it is. So does a version that is not shown any more.
// The row of the chat may arrive later (D-121), so its activity is kept: the numbers of the first message, of the newest one
// and of the newest post; the time of the newest message, and whether it `ends` a reply.
export function active(state, { chatSessionId: id, seq, completedAt, createdAt, ...message }) {
  const ends = message.messageType !== "user" && isFinal(message);
  const posts = message.messageType === "user" || (message.status === "pending" && message.attempt === 0);
  if (!(ends || posts) || message.shown === false || state.gone.includes(id)) return state;
  const known = state.activity[id] ?? NOTHING;
  const newest = seq > known.seq ? { seq, ends, at: completedAt ?? createdAt } : known;
  const posted = Math.max(known.posted, posts ? seq : 0);
  const activity = { ...state.activity, [id]: { ...newest, posted, first: Math.min(known.first, seq) } };
  const chat = find(state, id);
  return chat ? listed({ ...state, activity }, chat) : { ...state, activity };
}

// The first number that the cursor may not pass. A message with this number moved a chat without a row (D-120).
export function firstWithoutRow({ chats, activity, cursor }) {
  const rows = new Set(chats.map(({ id }) => id));
  const waiting = Object.entries(activity).filter(([id, { seq }]) => seq > cursor && !rows.has(id));
  return Math.min(...waiting.map(([, { first }]) => first));
}

// True while the open chat is parked and has pending replies. They wait until the user resumes the chat.
export function isPaused({ chats, openChat, messages }) {
  const parked = find({ chats }, openChat)?.parked ?? false;
  return parked && messages.some(({ status }) => status === "pending");
}

function find({ chats }, id) {
  return chats.find((chat) => chat.id === id);
}

function listed(state, chat) {
  const others = state.chats.filter(({ id }) => id !== chat.id);
  return { ...state, chats: [...others, moved(chat, state.activity[chat.id] ?? NOTHING)].sort(byActivity) };
}

function moved(chat, { seq, at, ends, posted }) {
  if (seq <= chat.since) return chat;
  const parked = chat.parked && posted <= chat.since;
  return { ...chat, lastActiveAt: at, updatedAt: at, unread: ends, parked, seq };
}

// A parsed moment has milliseconds. Within one of them, the texts of the moments have more digits.
function byActivity({ lastActiveAt: one }, { lastActiveAt: other }) {
  return Date.parse(other) - Date.parse(one) || (other > one) - (other < one);
}
