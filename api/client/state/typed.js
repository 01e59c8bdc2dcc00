// The unsent text in the message box of each chat, and in the dialogs that edit a part of a chat. Pure functions.
// A part is a message, or the instructions of the chat (D-226).

import { showsNothing } from "./blank.js";

const NO_CHAT = ""; // the text for a chat that does not exist yet

export const empty = {
  typed: {}, // id of the chat, or NO_CHAT -> text; id of the chat/part -> text
};

export function textIn({ typed, openChat }) {
  return typed[openChat ?? NO_CHAT] ?? "";
}

// The text of a part that is being edited; undefined if there is none.
export function editOf({ typed }, chatSessionId, part) {
  return typed[placeOf(chatSessionId, part)];
}

export function typed(state, { chatSessionId, part, text }) {
  return put(state, placeOf(chatSessionId, part), text);
}

const placeOf = (chatSessionId, part) => (part ? `${chatSessionId}/${part}` : (chatSessionId ?? NO_CHAT));

// A message comes back to be written anew. It stands before the text that has been typed meanwhile.
export function returned(state, { chatSessionId, text }) {
  const id = chatSessionId ?? NO_CHAT;
  const since = showsNothing(state.typed[id] ?? "") ? "" : `\n\n${state.typed[id]}`;
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

// A chat is gone, or a message.
export function removed(state, id) {
  const gone = Object.keys(state.typed).filter((place) => place.split("/").includes(id));
  return gone.reduce((so, place) => put(so, place, ""), state);
}

// A text box turns all line ends into "\n". The state does so too, else it would never equal the box.
function put(state, id, text) {
  const { [id]: _, ...others } = state.typed;
  return { ...state, typed: text ? { ...others, [id]: text.replace(/\r\n?/g, "\n") } : others };
}
