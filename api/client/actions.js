// Everything that the user can do, as one function for each action. If an action fails, the page shows one sentence.

import { newChat, openFromAddress, remove, rename } from "./actions/chats.js";
import { copy, copyCode } from "./actions/copy.js";
import { exportAll, exportChat } from "./actions/export.js";
import { edit, removeMessage, retry, send, stop } from "./actions/messages.js";
import { chooseModel } from "./actions/model.js";
import { dequeue, moveDown, moveUp, resume, sendNow } from "./actions/queue.js";
import { search, searchOn } from "./actions/search.js";
import { configure, moreArchived, showArchive } from "./actions/settings.js";
import { say, type } from "./actions/typing.js";
import { again, branch, goOn, regenerate, rewrite, show } from "./actions/versions.js";
import { earlierMessages, moreChats } from "./wire/pages.js";

const ACTIONS = {
  ...{ openFromAddress, newChat, rename, remove, moreChats },
  ...{ send, earlierMessages, retry, edit, stop, removeMessage },
  ...{ again, branch, goOn, regenerate, rewrite, show, copy, copyCode },
  ...{ dequeue, moveDown, moveUp, resume, sendNow },
  ...{ search, searchOn, exportAll, exportChat, configure, moreArchived, showArchive },
  ...{ chooseModel, say, type },
  signOut,
};

// `page` is the browser page: its {api, session, outbox, keep, makeChat, dispatch, read, catchUp}. Each action gets it
// before its own values. `settled` waits for an answer, and then for all that it has changed (D-190).
export function createActions(page) {
  const shared = { ...page, settled: (answer) => settled(page, answer) };
  const explained = (action) => (...values) =>
    action(shared, ...values).catch((problem) => page.dispatch("notice", problem.message));
  return Object.fromEntries(Object.entries(ACTIONS).map(([verb, action]) => [verb, explained(action)]));
}

async function settled({ dispatch, catchUp }, answer) {
  try {
    await answer;
    dispatch("notice", "");
  } finally {
    await catchUp().catch(() => {});
  }
}

async function signOut({ session, keep }) {
  await session.signOut();
  keep.clear();
}
