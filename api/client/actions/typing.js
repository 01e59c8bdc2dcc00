// The user writes in the composer, or in a dialog. `page` is described in actions.js.

import { editOf } from "../state/typed.js";

export async function type({ dispatch, read }, text) {
  dispatch("typed", { chatSessionId: read().openChat, text });
}

export async function say({ dispatch }, sentence) {
  dispatch("notice", sentence);
}

// A part of the open chat that a dialog edits. Its text is kept until the server has it, or the user drops it (D-226).
export function editing({ dispatch, read }, part, stored) {
  const { openChat: chatSessionId } = read();
  const text = () => editOf(read(), chatSessionId, part) ?? stored;
  const type = (news) => dispatch("typed", { chatSessionId, part, text: news === stored ? "" : news });
  const drop = () => type(stored);
  return { text: text(), type, drop, taken: (sent) => sent === text() && drop() };
}
