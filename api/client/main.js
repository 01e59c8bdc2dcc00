// The page's wiring. Everything that happens is dispatched to the store; the new state is drawn at most once a frame.

import { createActions } from "./actions.js";
import { reduce, start } from "./state/store.js";
import { setUpChats, showChats } from "./views/chats/list.js";
import { setUpSearch, showSearch } from "./views/chats/search.js";
import { setUpSettings, showSettings } from "./views/chats/settings.js";
import { setUpComposer, showComposer, showTyped } from "./views/composer.js";
import { setUpConversation, showConversation } from "./views/conversation.js";
import { keepFocus, setUpFocus, showFocus } from "./views/focus.js";
import { setUpFrame, showFrame } from "./views/frame.js";
import { showEditor } from "./views/message/editor.js";
import { setUpModel, showModel } from "./views/model.js";
import { setUpSignIn, showSignIn } from "./views/sign-in.js";
import { createApi, request } from "./wire/api.js";
import { Keep } from "./wire/keep.js";
import { createChatMaker } from "./wire/new-chat.js";
import { createOutbox } from "./wire/outbox.js";
import { createPlaces } from "./wire/reading/places.js";
import { createRows } from "./wire/reading/rows.js";
import { createVersions } from "./wire/reading/versions.js";
import { createSeen } from "./wire/seen.js";
import { Session } from "./wire/session.js";
import { openSocket } from "./wire/socket.js";
import { createSync } from "./wire/sync.js";

const RETRY = 3_000; // ms between two tries to read from a server that does not answer
const SPREAD = 1_000; // ms; tabs that are told to catch up at the same time do so spread over this time

const SHOWS = [
  ...[showSignIn, showFrame, showChats, showSearch, showSettings],
  ...[showConversation, showComposer, showModel, showEditor, showFocus],
];

let state = start;
let drawn = start;
let socket = null;
let rereading = null;

const read = () => state;
const session = new Session({ signedIn, signedOut, renewed: () => socket?.renew() });
const api = createApi(session);
const sync = createSync({ api, dispatch, read });
const seen = createSeen({ api, dispatch, read });
const places = createPlaces({ api, dispatch, read });
const rows = createRows({ api, dispatch, read });
const versions = createVersions({ api, dispatch, read });
const keep = new Keep({ dispatch, taken: () => location.reload() });
const makeChat = createChatMaker({ api, catchUp: sync.catchUp, dispatch, read });
const outbox = createOutbox({ api, makeChat, dispatch, read });
const actions = createActions({ api, session, outbox, keep, makeChat, dispatch, read, catchUp: sync.catchUp });

addEventListener("hashchange", actions.openFromAddress);
setUpSignIn(session);
setUpFocus();
const setUps = [setUpFrame, setUpChats, setUpSearch, setUpSettings, setUpConversation, setUpComposer, setUpModel];
setUps.forEach((setUp) => setUp(actions));
resume();

function resume() {
  session.renew().catch((problem) => {
    if (state.session === "out") return;
    dispatch("notice", `${problem.message} Trying again…`);
    setTimeout(resume, RETRY);
  });
}

function signedIn(user) {
  if (state.user && state.user.id !== user.id) return location.reload(); // another tab signed in as another user
  const arrives = state.session !== "in";
  dispatch("signed-in", user);
  if (!arrives) return;
  keep.open(user);
  begin();
}

function begin() {
  connect().catch(() => state.session === "in" && setTimeout(begin, RETRY));
}

async function connect() {
  const { realtimeUrl: url, models } = await request("GET", "/config");
  dispatch("models", models);
  await sync.catchUp();
  socket = openSocket({ url, session, heard, online, offline: () => dispatch("socket", "offline") });
  actions.openFromAddress();
  outbox.resend();
}

function heard(type, data) {
  if (type === "resync") return catchUpIn(Math.random() * SPREAD);
  dispatch("event", { name: type, data });
  sync.heard(data.chatSessionId);
}

// While the socket was away, the page may have missed events.
function online() {
  dispatch("socket", "online");
  outbox.resend();
  catchUp();
}

function catchUp() {
  clearTimeout(rereading);
  sync.catchUp().catch(() => state.session === "in" && catchUpIn(RETRY));
}

function catchUpIn(wait) {
  clearTimeout(rereading);
  rereading = setTimeout(catchUp, wait);
}

// Reloading the page removes all data of this user, from open dialogs and from memory too.
function signedOut() {
  const had = state.user;
  socket?.close();
  socket = null;
  dispatch("signed-out");
  if (had) location.reload();
}

function dispatch(type, data) {
  const before = state;
  state = reduce(state, { type, data });
  if (state === before) return;
  if (before === drawn) requestAnimationFrame(draw); // else a frame has already been requested
  if (before.openChat && !state.openChat) history.replaceState(null, "", location.pathname);
  showTyped(state); // at once, because the next key may be pressed before the next frame
  keep.look(state, before);
  sync.fillGaps();
  [seen, places, rows, versions].forEach((reader) => reader.look());
}

function draw() {
  const before = drawn;
  drawn = state;
  keepFocus(() => SHOWS.forEach((show) => show(state, before)));
}
