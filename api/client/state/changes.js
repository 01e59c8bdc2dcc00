// Records which of the user's changes the page has seen. Each durable event carries the next number, `seq`.
// A number that is missing shows that the page missed an event. Pure functions.

export const empty = {
  cursor: null, // the page has seen all changes up to this number; null until the first sync
  later: [], // numbers that arrived, but that the cursor could not reach yet: the page asks for the changes
  behind: false, // the server has more changes, for which the page is asking now
};

export function counted(state, seq) {
  return seq === undefined || state.later.includes(seq) ? state : { ...state, later: [...state.later, seq] };
}

export function reached(state, cursor, behind) {
  return { ...state, cursor: Math.max(cursor, state.cursor), behind };
}

// Moves the cursor over the numbers that arrived, up to a gap, or up to the number `stop`.
export function onward(state, stop) {
  if (state.cursor === null || state.later.length === 0) return state;
  const arrived = new Set(state.later);
  let { cursor } = state;
  while (arrived.has(cursor + 1) && cursor + 1 < stop) cursor += 1;
  const later = state.later.filter((seq) => seq > cursor);
  return later.length === state.later.length ? state : { ...state, cursor, later };
}
