// Everything that the user can do, as one function for each action. If an action fails, the page shows one sentence.

import { newChat, openFromAddress, remove, rename } from "./actions/chats.js";
import { edit, removeMessage, resume, retry, send, stop } from "./actions/messages.js";
import { say, type } from "./actions/typing.js";
import { earlierMessages, moreChats } from "./wire/pages.js";

const ACTIONS = {
  ...{ openFromAddress, newChat, rename, remove, moreChats },
  ...{ send, earlierMessages, retry, edit, stop, removeMessage, resume },
  ...{ say, type },
  signOut,
};

// `page` is the browser page: its {api, session, outbox, keep, makeChat, dispatch, read}. Each action gets it before
// its own values.
export function createActions(page) {
  const explained = (action) => (...values) =>
    action(page, ...values).catch((problem) => page.dispatch("notice", problem.message));
  return Object.fromEntries(Object.entries(ACTIONS).map(([verb, action]) => [verb, explained(action)]));
}

async function signOut({ session, keep }) {
  await session.signOut();
  keep.clear();
}
