// The open conversation: its messages, and the live text that grows them. Pure functions.
// Of two rows of one message, the row with the higher `seq` wins. Live text of a higher `attempt` replaces older text.
// Within an attempt, pieces are appended in the order of `index`, without gaps.

import { echoed } from "./drafts.js";
import * as versions from "./versions.js";
import * as waiting from "./waiting.js";

const FINAL = ["completed", "failed", "cancelled"];

export const empty = {
  openChat: null,
  loaded: false,
  messages: [], // by position
  earlierCursor: null, // the page of older messages begins here
  found: null, // {id} of the message that the user has looked for
  ahead: {}, // live text that arrived before the text in front of it: id -> {attempt, pieces: {index: text}}
  wanted: [], // ids of messages that lack some text; the page reads them again
  ...versions.empty,
  ...waiting.empty,
};

export const isFinal = (message) => FINAL.includes(message.status);

export function opened(state, openChat) {
  return { ...state, ...empty, openChat, notice: "" };
}

// A new chat has no messages to read.
export function begun(state, openChat) {
  return { ...opened(state, openChat), loaded: true };
}

// The newest page. If it has no message in common with the known ones, it replaces them.
export function loaded(state, { chatSessionId, items, nextCursor }) {
  if (chatSessionId !== state.openChat) return state;
  const apart = state.loaded && items.length > 0 && !items.some((item) => find(state, item.id));
  const base = apart ? { ...state, messages: [] } : state;
  const earlierCursor = apart || !state.loaded ? nextCursor : state.earlierCursor;
  return versions.marked({ ...items.reduce(file, base), earlierCursor, loaded: true }, items);
}

export function earlier(state, { chatSessionId, items, nextCursor }) {
  if (chatSessionId !== state.openChat) return state;
  return versions.marked({ ...items.reduce(file, state), earlierCursor: nextCursor }, items);
}

// All versions of the message `id`, as the page asked for them.
export function versioned(state, { chatSessionId, id, items }) {
  return chatSessionId === state.openChat ? versions.known(items.reduce(file, state), id) : state;
}

export function put(state, message) {
  const filed = file(state, message);
  return filed === state || find(state, message.id) ? filed : echoed(filed, message);
}

// A page of the history may have an old message with the same words as a draft. So it hides no draft.
function file(state, message) {
  if (message.chatSessionId !== state.openChat || state.gone.includes(message.id)) return state;
  const known = find(state, message.id);
  const merged = known ? merge(known, message) : whole(message);
  const changed = replace(state, merged);
  return settle(want(changed, message.id, merged.hole), message.id);
}

// Nothing of a deleted message is wanted any more, even if only its live text ever arrived.
export function removed(state, id) {
  const { [id]: _, ...ahead } = state.ahead;
  return want({ ...state, messages: state.messages.filter((message) => message.id !== id), ahead }, id, false);
}

export function delta(state, { messageId, chatSessionId, attempt, index, text }) {
  if (chatSessionId !== state.openChat || state.gone.includes(messageId)) return state;
  const known = find(state, messageId);
  const early = state.ahead[messageId];
  if ((known && isOver(known, attempt)) || attempt < early?.attempt) return state;
  const pieces = { ...(attempt === early?.attempt && early.pieces), [index]: text };
  return settle({ ...state, ahead: { ...state.ahead, [messageId]: { attempt, pieces } } }, messageId);
}

function find(state, id) {
  return state.messages.find((message) => message.id === id);
}

// True if text of this attempt is too late to count. A reply that is pending again has given up its last attempt.
function isOver(known, attempt) {
  const newest = known.status === "pending" ? known.attempt + 1 : known.attempt;
  return isFinal(known) || attempt < newest;
}

// `hole`: the row came without its text, so the page has to read it.
function whole({ contentOmitted = false, ...message }) {
  return { ...message, content: message.content ?? "", nextIndex: message.nextIndex ?? 0, hole: contentOmitted };
}

function merge(known, message) {
  const incoming = whole(message);
  const older = incoming.seq < known.seq || (incoming.attempt < known.attempt && !isFinal(incoming));
  if (older || (isFinal(known) && !isFinal(incoming))) return known;
  if (incoming.hole) return { ...incoming, content: known.content, hole: known.hole || !sameText(known, incoming) };
  const ahead = incoming.attempt === known.attempt && known.nextIndex > incoming.nextIndex && !known.hole;
  return ahead && !isFinal(incoming) ? { ...incoming, content: known.content, nextIndex: known.nextIndex } : incoming;
}

function sameText(known, incoming) {
  const sameRow = isFinal(known) && incoming.seq === known.seq;
  return sameRow || (incoming.attempt === known.attempt && incoming.nextIndex === known.nextIndex);
}

function replace(state, message) {
  const known = state.messages.findIndex(({ id }) => id === message.id);
  if (state.messages[known] === message) return state;
  if (known >= 0) return { ...state, messages: state.messages.with(known, message).sort(byPosition) };
  return { ...state, messages: [...state.messages, message].sort(byPosition) };
}

const byPosition = (one, other) => one.position - other.position;

// Appends the pieces that follow without a gap. After a gap, or for an unknown message, the page reads the message.
function settle(state, id) {
  const early = state.ahead[id];
  const known = find(state, id);
  if (!early) return state;
  if (!known) return want(state, id, true);
  const { [id]: _, ...ahead } = state.ahead;
  if (isOver(known, early.attempt)) return { ...state, ahead };
  const { message, pieces } = append(restarted(known, early.attempt), early.pieces);
  const gap = Object.keys(pieces).length > 0;
  if (gap) ahead[id] = { ...early, pieces };
  return want({ ...replace(state, message), ahead }, id, gap || message.hole);
}

// A higher attempt writes the reply from the start.
function restarted(known, attempt) {
  if (attempt === known.attempt) return known;
  return { ...known, attempt, status: "running", content: "", nextIndex: 0, hole: false };
}

function append(known, pieces) {
  const rest = { ...pieces };
  let { content, nextIndex } = known;
  Object.keys(rest).forEach((index) => index < nextIndex && delete rest[index]);
  for (; nextIndex in rest; nextIndex++) {
    content += rest[nextIndex];
    delete rest[nextIndex];
  }
  const message = nextIndex === known.nextIndex ? known : { ...known, content, nextIndex };
  return { message, pieces: rest };
}

function want(state, id, missing) {
  if (state.wanted.includes(id) === missing) return state;
  return { ...state, wanted: missing ? [...state.wanted, id] : state.wanted.filter((other) => other !== id) };
}
