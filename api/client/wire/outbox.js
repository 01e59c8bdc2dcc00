// Sends the user's posts, one after the other. All tries of a post carry the same Idempotency-Key.
// So a post whose answer was lost can be sent again, and the server stores it once.
// Posts that were not sent for want of a connection go out when it returns, in their order.

const PAUSES = [500, 1_000, 2_000, 4_000]; // ms between the tries; after the last try the post is shown as not sent
const AGAIN = 15_000; // ms from then to the next round of tries
const KNOWN = 20 * 3_600_000; // ms; the server forgets a key after a day, and would store the post a second time
const OLD = "It was written long ago. Look whether it has arrived before you send it.";

export function createOutbox(page) {
  const { dispatch, read } = page;
  let running = null;
  let timer = null;

  function send(chatSessionId, content) {
    resend();
    return put({ key: newKey(), chatSessionId, content, begun: Date.now() });
  }

  // Sends again whatever failed for a reason that may have passed.
  function resend() {
    clearTimeout(timer);
    const waiting = read().drafts.filter(({ status, passing }) => status === "unsent" && passing);
    waiting.forEach((draft) => (isKnown(draft) ? put(draft) : dispatch("draft.unsent", { ...draft, ...tooOld })));
  }

  function put(draft) {
    dispatch("draft.sending", draft);
    running ??= deliverAll().finally(() => (running = null));
    return running;
  }

  async function deliverAll() {
    for (let draft = next(); draft; draft = next()) await deliver(page, draft);
    clearTimeout(timer);
    if (read().drafts.some(({ passing }) => passing)) timer = setTimeout(resend, AGAIN);
  }

  const next = () => read().drafts.find(isSending);
  return { send, resend, retry: put, discard: (key) => dispatch("draft.discarded", key) };
}

const tooOld = { problem: OLD, passing: false };
const isKnown = ({ begun }) => Date.now() - begun < KNOWN;

// By the time of the answer, the post may have no user any more: then the answer is nobody's.
// Without a connection, no later post is tried. It could find the connection back, and overtake this one.
async function deliver({ api, makeChat, dispatch, read }, { key, content }) {
  const held = () => read().drafts.find((draft) => draft.key === key);
  const isHeld = () => held() !== undefined;
  const post = async () => api.post(held()?.chatSessionId ?? (await makeChat()), content, key);
  try {
    const answer = await persistently(post, isHeld);
    if (isHeld()) dispatch("draft.accepted", { key, ...answer });
  } catch (problem) {
    const failed = isLost(problem) ? read().drafts.filter(isSending) : [{ key }];
    const why = { problem: problem.message, passing: isPassing(problem), wrong: problem.code === "invalid_request" };
    failed.forEach((one) => dispatch("draft.unsent", { key: one.key, ...why }));
  }
}

// The post is not tried any more once its user has signed out, or has sent it from another tab.
export async function persistently(post, isWanted = () => true) {
  for (const pause of PAUSES) {
    try {
      return await post();
    } catch (problem) {
      if (!isPassing(problem)) throw problem;
      await new Promise((resolve) => setTimeout(resolve, pause));
      if (!isWanted()) throw problem;
    }
  }
  return post();
}

// True if another try may succeed: there was no answer, or the server failed. A refusal is final.
const isPassing = ({ status }) => status === 0 || status >= 500;
const isLost = ({ status }) => status === 0;
const isSending = ({ status }) => status === "sending";

// crypto.randomUUID() would be shorter, but it exists on https and localhost only.
export function newKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
