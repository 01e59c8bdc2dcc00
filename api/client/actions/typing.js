// The user writes in the composer. `page` is described in actions.js.

export async function type({ dispatch, read }, text) {
  dispatch("typed", { chatSessionId: read().openChat, text });
}

export async function say({ dispatch }, sentence) {
  dispatch("notice", sentence);
}
