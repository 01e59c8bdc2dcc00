// Tells the server that the open chat was seen, once the user has it before them.

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
      () => (told = ""), // the next change tries again
    );
  }

  document.addEventListener("visibilitychange", look);
  return { look };
}
