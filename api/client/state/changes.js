// Records which of the user's changes the page has seen. Each durable event carries the next number, `seq`.
// A number that is missing shows that the page missed an event. Pure functions.

export const empty = {
  cursor: null, // the page has seen all changes up to this number; null until the first sync
  later: [], // numbers that arrived after a gap
};

export function counted(state, seq) {
  if (seq === undefined || seq <= state.cursor) return state;
  return onward({ ...state, later: [...state.later, seq] });
}

export function reached(state, cursor) {
  return onward({ ...state, cursor: Math.max(cursor, state.cursor) });
}

function onward(state) {
  if (state.cursor === null) return state;
  const later = new Set(state.later);
  let { cursor } = state;
  while (later.has(cursor + 1)) cursor += 1;
  return { ...state, cursor, later: [...later].filter((seq) => seq > cursor) };
}
