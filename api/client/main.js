// The page's wiring: what happens is dispatched to the store, what is to be seen is drawn once a frame.

import { createApi, request } from "./api.js";
import { createOutbox } from "./outbox.js";
import { createSession } from "./session.js";
import { openSocket } from "./socket.js";
import { reduce, start } from "./store.js";
import { createSync } from "./sync.js";
import { setUpChats, showChats } from "./views/chats.js";
import { focus, setUpComposer, write } from "./views/composer.js";
import { setUpConversation, showConversation } from "./views/conversation.js";
import { setUpFrame, showFrame } from "./views/frame.js";
import { setUpSignIn, showSignIn } from "./views/sign-in.js";

const UNTITLED = "New chat";
const FIRST = 0; // position in a chat
const RETRY = 3_000; // ms between the tries to read from a server that is away

let state = start;
let drawn = start;
let socket = null;
let rereading = null;
let creating = null; // the chat that a click has just asked for

const read = () => state;
const session = createSession({ signedIn, signedOut, renewed: () => socket?.restart() });
const api = createApi(session);
const sync = createSync({ api, dispatch, read });
const outbox = createOutbox({ api, dispatch });

function dispatch(type, data) {
  const before = state;
  state = reduce(state, { type, data });
  if (state === before) return;
  if (before === drawn) requestAnimationFrame(draw); // else a frame has been asked for
  if (before.openChat && !state.openChat) history.replaceState(null, "", location.pathname);
  sync.fillGaps();
}

function draw() {
  const before = drawn;
  drawn = state;
  [showSignIn, showFrame, showChats, showConversation].forEach((show) => show(state, before));
}

function signedIn(user) {
  if (state.user && state.user.id !== user.id) return location.reload(); // another tab signed in as somebody else
  const arrives = state.session !== "in";
  dispatch("signed-in", user);
  if (arrives) begin();
}

function signedOut() {
  socket?.close();
  socket = null;
  dispatch("signed-out");
}

function begin() {
  connect().catch(() => state.session === "in" && setTimeout(begin, RETRY));
}

async function connect() {
  const { realtimeUrl: url } = await request("GET", "/config");
  await sync.chats();
  socket = openSocket({ url, session, heard, online, offline: () => dispatch("socket", "offline") });
  openFromAddress();
}

function heard(type, data) {
  if (type === "resync") return everything();
  dispatch(type, data);
  sync.heard(data.chatSessionId);
}

function online() {
  dispatch("socket", "online");
  everything();
}

function everything() {
  clearTimeout(rereading);
  reread().catch(() => state.session === "in" && (rereading = setTimeout(everything, RETRY)));
}

// The balance comes with a session.
async function reread() {
  const { openChat } = state;
  await Promise.all([session.renew(), sync.chats(), openChat && sync.messages(openChat).catch(leaveIfGone)]);
}

const openFromAddress = orNotice(async () => {
  const id = location.hash.slice(1) || state.chats[0]?.id;
  if (!id || id === state.openChat) return;
  dispatch("chat.opened", id);
  await sync.messages(id).catch(leaveIfGone);
});

function leaveIfGone(problem) {
  if ([403, 404].includes(problem.status)) dispatch("chat.opened", null);
  throw problem;
}

function open(id) {
  location.hash = id;
  return openFromAddress();
}

const newChat = orNotice(async () => {
  focus();
  creating = createChat();
  open((await creating).id);
});

async function createChat(title) {
  const chat = await api.createChat(title);
  dispatch("chat.created", chat);
  return chat;
}

const send = orNotice(async (content) => {
  const id = await chatFor(content);
  const posted = await outbox.send(id, content);
  if (posted?.message.position === FIRST) await name(id, content);
});

// Who types fast may send before a chat just asked for is there; who has none open gets one.
async function chatFor(content) {
  await Promise.allSettled([creating]);
  if (state.openChat) return state.openChat;
  try {
    open((await createChat(titleFrom(content))).id);
    return state.openChat;
  } catch (problem) {
    write(content);
    throw problem;
  }
}

// A chat that has no title yet is called after its first message.
async function name(id, content) {
  const chat = state.chats.find((one) => one.id === id);
  if (chat?.title === UNTITLED) await rename(id, titleFrom(content));
}

function titleFrom(content) {
  const line = content.trim().split("\n", 1)[0];
  return line.length > 60 ? `${line.slice(0, 59)}…` : line;
}

const rename = orNotice(async (id, title) => dispatch("chat.updated", await api.renameChat(id, title)));

const remove = orNotice(async (id) => {
  await api.deleteChat(id);
  dispatch("chat.deleted", { id });
});

const draft = (key) => state.drafts.find((one) => one.key === key);

function edit(key) {
  write(draft(key).content);
  outbox.discard(draft(key));
}

// Loading the page anew leaves nothing of this user behind, not even in memory.
const signOut = orNotice(async () => {
  await session.signOut();
  location.reload();
});

// What goes wrong in an action of the user is shown in a sentence.
function orNotice(action) {
  return (...values) => action(...values).catch((problem) => dispatch("notice", problem.message));
}

function resume() {
  session.renew().catch((problem) => {
    if (state.session === "out") return;
    dispatch("notice", `${problem.message} Trying again…`);
    setTimeout(resume, RETRY);
  });
}

addEventListener("hashchange", openFromAddress);
setUpSignIn(session);
setUpFrame({ signOut });
setUpChats({ newChat, rename, remove, showMore: orNotice(sync.moreChats) });
setUpConversation({ showEarlier: orNotice(sync.earlierMessages), retry: (key) => outbox.retry(draft(key)), edit });
setUpComposer({ send });
resume();
