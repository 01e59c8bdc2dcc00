// The search over the user's chats: the words, and the places that were found. Pure functions.

import { showsNothing } from "./blank.js";

export const empty = {
  search: null, // {q, items, nextCursor, done, problem} while the user looks for something
};

// The places of the last words stay on the screen until the answer comes.
export function asked(state, q) {
  if (showsNothing(q)) return { ...state, search: null };
  return { ...state, search: { q, items: state.search?.items ?? [], nextCursor: null, done: false, problem: "" } };
}

// A page of places. The first one replaces those of the last words. An answer to earlier words is late.
export function found(state, { q, after, items, nextCursor }) {
  if (state.search?.q !== q) return state;
  const known = after ? state.search.items : [];
  return { ...state, search: { q, items: [...known, ...items], nextCursor, done: true, problem: "" } };
}

export function failed(state, { q, problem }) {
  return state.search?.q === q ? { ...state, search: { ...state.search, problem } } : state;
}

// Without the places that have been deleted since.
export function placesOf({ search, gone }) {
  const isThere = ({ chatSessionId, messageId }) => !gone.includes(chatSessionId) && !gone.includes(messageId);
  return search?.items.filter(isThere) ?? [];
}
