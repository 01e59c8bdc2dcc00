// The open conversation: how messages, pieces of live text and unsent drafts come together. Pure functions.
// The server's rows win by `seq`; live text goes by `attempt`, then by `index`, and has no gaps.

const FINAL = ["completed", "failed", "cancelled"];

export const empty = {
  openChat: null,
  loaded: false,
  messages: [], // by position
  earlierCursor: null, // where the page of older ones begins
  drafts: [], // {key, chatSessionId, content, status: sending | unsent, problem, echoed}
  ahead: {}, // live text that came before the text it follows: id -> {attempt, pieces: {index: text}}
  wanted: [], // ids of messages that have to be read again: some text is missing
};

export const isFinal = (message) => FINAL.includes(message.status);

// Text of this attempt comes too late. A reply that waits again has given up the attempt that it had.
function isOver(known, attempt) {
  const newest = known.status === "pending" ? known.attempt + 1 : known.attempt;
  return isFinal(known) || attempt < newest;
}

export function opened(state, openChat) {
  return { ...state, ...empty, drafts: state.drafts, openChat, notice: "" };
}

// The newest page. One that doesn't reach back to what was known takes its place.
export function loaded(state, { chatSessionId, items, nextCursor }) {
  if (chatSessionId !== state.openChat) return state;
  const apart = state.loaded && items.length > 0 && !items.some((item) => find(state, item.id));
  const base = apart ? { ...state, messages: [] } : state;
  const earlierCursor = apart || !state.loaded ? nextCursor : state.earlierCursor;
  return { ...items.reduce(put, base), earlierCursor, loaded: true };
}

export function earlier(state, { chatSessionId, items, nextCursor }) {
  if (chatSessionId !== state.openChat) return state;
  return { ...items.reduce(put, state), earlierCursor: nextCursor };
}

export function put(state, message) {
  if (message.chatSessionId !== state.openChat) return state;
  const known = find(state, message.id);
  const merged = known ? merge(known, message) : whole(message);
  const changed = replace(known ? state : echoed(state, message), merged);
  return settle(want(changed, message.id, merged.hole), message.id);
}

export function removed(state, id) {
  return { ...state, messages: state.messages.filter((message) => message.id !== id) };
}

export function delta(state, { messageId, chatSessionId, attempt, index, text }) {
  if (chatSessionId !== state.openChat || state.gone.includes(messageId)) return state;
  const known = find(state, messageId);
  const early = state.ahead[messageId];
  if ((known && isOver(known, attempt)) || attempt < early?.attempt) return state;
  const pieces = { ...(attempt === early?.attempt && early.pieces), [index]: text };
  return settle({ ...state, ahead: { ...state.ahead, [messageId]: { attempt, pieces } } }, messageId);
}

export function draftSending(state, draft) {
  const others = state.drafts.filter(({ key }) => key !== draft.key);
  return { ...state, drafts: [...others, { ...draft, status: "sending" }], notice: "" };
}

export function draftUnsent(state, { key, problem }) {
  const unsent = (draft) => (draft.key === key ? { ...draft, status: "unsent", problem, echoed: false } : draft);
  return { ...state, drafts: state.drafts.map(unsent) };
}

export function draftDiscarded(state, key) {
  return { ...state, drafts: state.drafts.filter((draft) => draft.key !== key) };
}

function find(state, id) {
  return state.messages.find((message) => message.id === id);
}

// `hole`: the row came without its text, which has to be read.
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
  if (known >= 0) return { ...state, messages: state.messages.with(known, message) };
  return { ...state, messages: [...state.messages, message].sort(byPosition) };
}

const byPosition = (one, other) => one.position - other.position;

// The event of one's own post may overtake its answer: the draft steps aside for it.
function echoed(state, { messageType, content, chatSessionId }) {
  const mine = (draft) => draft.chatSessionId === chatSessionId && draft.content === content && !draft.echoed;
  const key = messageType === "user" && state.drafts.find(mine)?.key;
  if (!key) return state;
  return { ...state, drafts: state.drafts.map((draft) => (draft.key === key ? { ...draft, echoed: true } : draft)) };
}

// Append what follows on without a gap; a gap, or a message never seen, has to be read from the server.
function settle(state, id) {
  const early = state.ahead[id];
  const known = find(state, id);
  if (!early) return state;
  if (!known) return want(state, id, true);
  const { [id]: _, ...ahead } = state.ahead;
  if (isOver(known, early.attempt)) return { ...state, ahead };
  const { message, pieces } = append(begun(known, early.attempt), early.pieces);
  const gap = Object.keys(pieces).length > 0;
  if (gap) ahead[id] = { ...early, pieces };
  return want({ ...replace(state, message), ahead }, id, gap || message.hole);
}

// A higher attempt writes the reply anew.
function begun(known, attempt) {
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
