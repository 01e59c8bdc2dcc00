// Tells the server that the user has seen the open chat, as soon as it is on a visible page.

export function createSeen({ api, dispatch, read }) {
  let told = "";

  async function look() {
    const { chats, openChat, loaded } = read();
    const chat = chats.find(({ id }) => id === openChat);
    const news = `${chat?.id} ${chat?.seq}`;
    if (!chat?.unread || !loaded || document.hidden || news === told) return;
    told = news;
    await api.seen(chat.id, chat.seq).then(
      (seen) => dispatch("chat.updated", seen),
      () => (told = ""), // the next change of the state tries again
    );
  }

  document.addEventListener("visibilitychange", look);
  return { look };
}
