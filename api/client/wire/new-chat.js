// Makes a chat on the server. All callers that need a new chat at the same time share one.

export function createChatMaker({ api, catchUp, dispatch, read }) {
  let making = null;
  let since = null; // the number of the last change before a request whose answer was lost

  async function make() {
    const chat = (since !== null && (await alreadyMade())) || (await create());
    since = null;
    dispatch("chat.created", chat);
    dispatch("chat.begun", chat.id);
    if (read().openChat === chat.id) location.replace(`#${chat.id}`);
    return chat.id;
  }

  // The server may have made the chat of a lost answer. It is a later one, without a title and without messages (D-228).
  async function alreadyMade() {
    await catchUp();
    const later = read().chats.filter(({ seq, titleSource }) => seq > since && titleSource === "default");
    for (const chat of later) if ((await api.messages(chat.id, null, 1)).items.length === 0) return chat;
    return null;
  }

  // The chat has no title, because a title that the server refuses would stop the message.
  async function create() {
    since ??= read().cursor;
    return api.createChat();
  }

  return function makeChat() {
    making ??= make().finally(() => (making = null));
    return making;
  };
}
