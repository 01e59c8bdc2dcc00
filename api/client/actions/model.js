// The user chooses the model of the open chat. `page` is described in actions.js.

export async function chooseModel({ api, dispatch, makeChat, read }, model) {
  const id = read().openChat ?? (await makeChat());
  dispatch("chat.updated", await api.changeChat(id, { settings: { model } }));
}
