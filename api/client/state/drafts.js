// The user's posts that the server has not accepted yet. Pure functions. Their status is `sending` or `unsent`.
// A post without a chat gets one before it is sent.

export const empty = {
  drafts: [], // {key, chatSessionId, content, begun, status, problem, passing, wrong, echoed}, oldest first
};

// A post that is sent again keeps its place.
export function sending(state, draft) {
  const next = { ...draft, status: "sending" };
  const known = state.drafts.some(({ key }) => key === draft.key);
  return { ...(known ? changeOne(state, draft.key, next) : { ...state, drafts: [...state.drafts, next] }), notice: "" };
}

// `passing`: the reason may pass, so the page sends the post again by itself. An echoed draft may stay hidden meanwhile.
// `wrong`: the text itself was refused, so it can never be sent as it is.
export function unsent(state, { key, problem, passing = false, wrong = false }) {
  const hidden = passing && state.drafts.some((draft) => draft.key === key && draft.echoed);
  return changeOne(state, key, { status: "unsent", problem, passing, wrong, echoed: hidden });
}

export function discarded(state, key) {
  return { ...state, drafts: state.drafts.filter((draft) => draft.key !== key) };
}

// The posts that an earlier page of this user could not send.
export function restored(state, kept) {
  const missing = kept.filter(({ key }) => !state.drafts.some((draft) => draft.key === key));
  return { ...state, drafts: [...missing.map((draft) => ({ ...draft, status: "unsent" })), ...state.drafts] };
}

// Posts without a chat belong to this new one.
export function adopted(state, chatSessionId) {
  const homeless = state.drafts.filter((draft) => draft.chatSessionId === null);
  return homeless.reduce((so, { key }) => changeOne(so, key, { chatSessionId }), state);
}

export function removed(state, chatSessionId) {
  return { ...state, drafts: state.drafts.filter((draft) => draft.chatSessionId !== chatSessionId) };
}

// The event of a post may arrive before its answer. An echoed draft is hidden, so the post is shown once.
// A draft that the server has refused is no such post.
export function echoed(state, { messageType, content, chatSessionId }) {
  const same = (draft) => draft.chatSessionId === chatSessionId && draft.content === content;
  const matches = (draft) => same(draft) && !draft.echoed && (draft.status === "sending" || draft.passing);
  const key = messageType === "user" && state.drafts.find(matches)?.key;
  return key ? changeOne(state, key, { echoed: true }) : state;
}

function changeOne(state, key, changes) {
  return { ...state, drafts: state.drafts.map((draft) => (draft.key === key ? { ...draft, ...changes } : draft)) };
}
