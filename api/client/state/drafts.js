// The user's posts that the server has not accepted yet. Pure functions.

export const empty = {
  drafts: [], // {key, chatSessionId, content, status: sending | unsent, problem, echoed}
};

export function sending(state, draft) {
  const others = state.drafts.filter(({ key }) => key !== draft.key);
  return { ...state, drafts: [...others, { ...draft, status: "sending" }], notice: "" };
}

export function unsent(state, { key, problem }) {
  return changeOne(state, key, { status: "unsent", problem, echoed: false });
}

export function discarded(state, key) {
  return { ...state, drafts: state.drafts.filter((draft) => draft.key !== key) };
}

// The event of a post may arrive before its answer. An echoed draft is hidden, so the post is shown once.
export function echoed(state, { messageType, content, chatSessionId }) {
  const matches = (draft) => draft.chatSessionId === chatSessionId && draft.content === content && !draft.echoed;
  const key = messageType === "user" && state.drafts.find(matches)?.key;
  return key ? changeOne(state, key, { echoed: true }) : state;
}

function changeOne(state, key, changes) {
  return { ...state, drafts: state.drafts.map((draft) => (draft.key === key ? { ...draft, ...changes } : draft)) };
}
