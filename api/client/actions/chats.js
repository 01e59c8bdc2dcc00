// The user's actions on chats. `page` is described in actions.js.

import { focus } from "../views/composer.js";
import { openMessages } from "../wire/pages.js";

const UNTITLED = "New chat"; // the server's title of a chat that was made without one
const LONGEST_TITLE = 60; // characters of a first message that make a title

// Opens the chat that the address names, else the first chat of the list.
export async function openFromAddress(page) {
  const { chats, openChat } = page.read();
  const id = location.hash.slice(1) || chats[0]?.id;
  if (!id || id === openChat) return;
  page.dispatch("chat.opened", id);
  await openMessages(page);
}

export async function newChat(page) {
  focus();
  await page.inTurn(() => createAndOpen(page));
}

export async function createAndOpen(page, title) {
  return openNew(page, await page.api.createChat(title));
}

export function openNew(page, chat) {
  page.dispatch("chat.created", chat);
  location.hash = chat.id;
  openFromAddress(page);
  return chat.id;
}

// Gives a chat without a title its first message as the title.
export async function nameAfter(page, id, content) {
  const chat = page.read().chats.find((one) => one.id === id);
  if (chat?.title === UNTITLED) await rename(page, id, titleFrom(content));
}

export async function rename({ api, dispatch }, id, title) {
  dispatch("chat.updated", await api.renameChat(id, title));
}

export async function remove({ api, dispatch }, id) {
  await api.deleteChat(id);
  dispatch("chat.deleted", { id });
}

export function titleFrom(content) {
  const letters = [...content.trim().split("\n", 1)[0]];
  return letters.length > LONGEST_TITLE ? `${letters.slice(0, LONGEST_TITLE - 1).join("")}…` : letters.join("");
}
