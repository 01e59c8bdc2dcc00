// Versions of messages and replies. Rows with one root are versions of one another, and at most one of them is shown.
// The page hears of later versions by events. Those from before it opened the chat it has to ask for. Pure functions.

export const empty = {
  unversioned: [], // ids of messages that may have versions which the page has not read
};

export const isShown = ({ shown }) => shown !== false;

// root -> its versions, oldest first
export function groupsOf(messages) {
  const groups = Map.groupBy(messages, rootOf);
  groups.forEach((rows) => rows.sort((one, other) => one.version - other.version));
  return groups;
}

export const rootOf = ({ id, versionOf }) => versionOf ?? id;

// Marks those of the items that may have other versions. These have the positions after a pair: a gap (D-191).
export function marked(state, items) {
  const rows = state.messages.filter(isShown);
  const ids = new Set(items.map(({ id }) => id));
  const unsure = rows.filter((row, at) => row.version > 1 || isBeforeGap(row, rows[at + 1]));
  const questions = unsure.map(({ replyTo }) => replyTo);
  const found = [...unsure.map(({ id }) => id), ...questions].filter((id) => ids.has(id));
  return { ...state, unversioned: [...new Set([...state.unversioned, ...found])] };
}

const isBeforeGap = (row, next) => !next || next.position > row.position + 1;

export function known(state, id) {
  return { ...state, unversioned: state.unversioned.filter((other) => other !== id) };
}
