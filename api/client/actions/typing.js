// The user writes in the composer. `page` is described in actions.js.

export async function type({ dispatch }, chatSessionId, text) {
  dispatch("typed", { chatSessionId, text });
}

export async function say({ dispatch }, sentence) {
  dispatch("notice", sentence);
}
