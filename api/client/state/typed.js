// The unsent text in the message box of each chat. Pure functions.

const NO_CHAT = ""; // the text for a chat that does not exist yet

export const empty = {
  typed: {}, // id of the chat, or NO_CHAT -> text
};

export function textIn({ typed, openChat }) {
  return typed[openChat ?? NO_CHAT] ?? "";
}

export function typed(state, { chatSessionId, text }) {
  return put(state, chatSessionId ?? NO_CHAT, text);
}

// A message comes back to be written anew. It stands before the text that has been typed meanwhile.
export function returned(state, { chatSessionId, text }) {
  const id = chatSessionId ?? NO_CHAT;
  const since = state.typed[id]?.trim() ? `\n\n${state.typed[id]}` : "";
  return put(state, id, text + since);
}

// The chat for which the user has been typing exists now.
export function adopted(state, chatSessionId) {
  const text = state.typed[NO_CHAT];
  return text ? returned(put(state, NO_CHAT, ""), { chatSessionId, text }) : state;
}

export function restored(state, kept) {
  return { ...state, typed: { ...kept, ...state.typed } };
}

export function removed(state, chatSessionId) {
  return put(state, chatSessionId, "");
}

// A text box turns all line ends into "\n". The state does so too, else it would never equal the box.
function put(state, id, text) {
  const { [id]: _, ...others } = state.typed;
  return { ...state, typed: text ? { ...others, [id]: text.replace(/\r\n?/g, "\n") } : others };
}
