// Makes a chat on the server. All callers that need a new chat at the same time share one.

export function createChatMaker({ api, dispatch, read }) {
  let making = null;

  // The chat has no title, because a title that the server refuses would stop the message.
  async function make() {
    const chat = await api.createChat();
    dispatch("chat.created", chat);
    dispatch("chat.begun", chat.id);
    if (read().openChat === chat.id) location.replace(`#${chat.id}`);
    return chat.id;
  }

  return function makeChat() {
    making ??= make().finally(() => (making = null));
    return making;
  };
}
