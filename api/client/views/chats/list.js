// The list of chats. The user opens, renames and deletes chats here, and asks for more of them.

import { showsNothing } from "../../state/blank.js";
import { shelfOf } from "../../state/chats.js";
import { ask } from "../ask.js";

const list = document.querySelector("[data-test=chat-list]");
const more = document.querySelector("[data-action=more-chats]");
const shelf = document.querySelector("[data-action=archive]");
const template = document.querySelector("#chat").content.firstElementChild;
const bare = document.querySelector(".bare");
const rows = new Map();

export function setUpChats({ newChat, rename, remove, moreChats, moreArchived, showArchive }) {
  document.querySelector("[data-test=new-chat]").addEventListener("click", () => newChat());
  more.addEventListener("click", () => (isArchive() ? moreArchived() : moreChats()));
  shelf.addEventListener("click", () => showArchive(!isArchive()));
  list.addEventListener("click", async ({ target }) => {
    const { action } = target.dataset;
    const { chatId } = target.closest("li")?.dataset ?? {};
    const title = rows.get(chatId)?.querySelector("a").textContent;
    if (action === "rename") await askForTitle(title, (answer) => rename(chatId, answer));
    if (action === "delete") await askToDelete(title, () => remove(chatId));
  });
}

const isArchive = () => shelf.ariaPressed === "true";

async function askForTitle(title, rename) {
  const answer = await ask({ title: "Rename chat", value: title, yes: "Rename" });
  if (!showsNothing(answer ?? "") && answer !== title) rename(answer);
}

async function askToDelete(title, remove) {
  const text = `“${title}” and all its messages will be deleted. This can't be undone.`;
  if ((await ask({ title: "Delete chat?", text, yes: "Delete" })) !== null) remove();
}

export function showChats(state, before) {
  const parts = ["chats", "openChat", "archiveShown", "archiveRead", "chatsCursor", "archiveCursor"];
  if (parts.every((part) => state[part] === before[part])) return;
  const listed = shelfOf(state).map((chat) => row(chat, chat.id === state.openChat));
  rows.forEach((element, id) => listed.includes(element) || rows.delete(id));
  inOrder(listed);
  more.hidden = !(state.archiveShown ? state.archiveCursor : state.chatsCursor);
  shelf.ariaPressed = String(state.archiveShown);
  bare.hidden = listed.length > 0 || !state.archiveRead || !state.archiveShown;
}

function row({ id, title, unread }, current) {
  const element = rows.get(id) ?? template.cloneNode(true);
  rows.set(id, element);
  element.dataset.chatId = id;
  const link = element.querySelector("a");
  link.href = `#${id}`;
  link.textContent = link.title = title;
  element.querySelectorAll("button").forEach((button) => (button.ariaLabel = `${button.title} ${title}`));
  link.toggleAttribute("aria-current", current);
  element.toggleAttribute("data-unread", unread && !current);
  link.ariaDescription = unread && !current ? "unread" : null;
  return element;
}

// A row that is already in its place is not moved, because a moved row loses the focus.
function inOrder(listed) {
  [...list.children].forEach((element) => listed.includes(element) || element.remove());
  listed.forEach((element, at) => list.children[at] === element || list.insertBefore(element, list.children[at]));
}
