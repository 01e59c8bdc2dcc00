// What the user can do, as one function each. What goes wrong in one is shown in a sentence.

import { focus, write } from "./views/composer.js";

const UNTITLED = "New chat";
const LONGEST_TITLE = 60; // characters of a first message that make a title
const FIRST = 0; // position in a chat

export function createActions({ api, session, sync, outbox, dispatch, read }) {
  let settled = Promise.resolve(); // once it is known which chat is open

  function open(id) {
    location.hash = id;
    return openFromAddress();
  }

  async function openFromAddress() {
    const id = location.hash.slice(1) || read().chats[0]?.id;
    if (!id || id === read().openChat) return;
    dispatch("chat.opened", id);
    await sync.openMessages();
  }

  async function newChat() {
    focus();
    await inTurn(() => createAndOpen());
  }

  async function createAndOpen(title) {
    const chat = await api.createChat(title);
    dispatch("chat.created", chat);
    open(chat.id);
    return chat.id;
  }

  // Who types fast may send before the chat just asked for is there.
  function inTurn(step) {
    const turn = settled.then(step);
    settled = turn.catch(() => {});
    return turn;
  }

  async function send(content) {
    const id = await inTurn(() => read().openChat ?? chatFor(content));
    const posted = await outbox.send(id, content);
    if (posted?.message.position === FIRST) await name(id, content);
  }

  // Who has no chat open gets one.
  async function chatFor(content) {
    try {
      return await createAndOpen(titleFrom(content));
    } catch (problem) {
      write(content);
      throw problem;
    }
  }

  // A chat that has no title yet is called after its first message.
  async function name(id, content) {
    const chat = read().chats.find((one) => one.id === id);
    if (chat?.title === UNTITLED) await rename(id, titleFrom(content));
  }

  async function rename(id, title) {
    dispatch("chat.updated", await api.renameChat(id, title));
  }

  async function remove(id) {
    await api.deleteChat(id);
    dispatch("chat.deleted", { id });
  }

  async function stop(id) {
    dispatch("message.cancelled", await api.stop(read().openChat, id));
  }

  // The server takes the replies to a message with it.
  async function removeMessage(id) {
    const { openChat, messages } = read();
    await api.deleteMessage(openChat, id);
    const gone = messages.filter((message) => message.id === id || message.replyTo === id);
    gone.forEach((message) => dispatch("message.deleted", { id: message.id }));
  }

  async function resume() {
    dispatch("chat.updated", await api.resume(read().openChat));
  }

  async function retry(key) {
    await outbox.retry(draft(key));
  }

  async function edit(key) {
    write(draft(key).content);
    outbox.discard(key);
  }

  const draft = (key) => read().drafts.find((one) => one.key === key);

  // Loading the page anew leaves nothing of this user behind, not even in memory.
  async function signOut() {
    await session.signOut();
    location.reload();
  }

  const explained = (action) => (...values) =>
    action(...values).catch((problem) => dispatch("notice", problem.message));
  const { moreChats, earlierMessages } = sync;
  const all = {
    ...{ openFromAddress, newChat, send, rename, remove, moreChats, earlierMessages, resume },
    ...{ stop, removeMessage, retry, edit, signOut },
  };
  return Object.fromEntries(Object.entries(all).map(([verb, action]) => [verb, explained(action)]));
}

function titleFrom(content) {
  const letters = [...content.trim().split("\n", 1)[0]];
  return letters.length > LONGEST_TITLE ? `${letters.slice(0, LONGEST_TITLE - 1).join("")}…` : letters.join("");
}
