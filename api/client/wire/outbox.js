// Sends the user's posts, one after the other. All tries of a post carry the same Idempotency-Key.
// So a post whose answer was lost can be sent again, and the server stores it once.

const PAUSES = [500, 1_000, 2_000, 4_000]; // ms between the tries; after the last try the user decides

export function createOutbox({ api, dispatch }) {
  let last = Promise.resolve();

  // Returns the server's answer, or nothing if the post was not sent.
  function send(chatSessionId, content) {
    return put({ key: newKey(), chatSessionId, content });
  }

  function put(draft) {
    dispatch("draft.sending", draft);
    last = last.then(() => deliver(draft));
    return last;
  }

  async function deliver({ key, chatSessionId, content }) {
    try {
      const answer = await persistently(() => api.post(chatSessionId, content, key));
      dispatch("draft.accepted", { key, ...answer });
      return answer;
    } catch (problem) {
      dispatch("draft.unsent", { key, problem: problem.message });
    }
  }

  return { send, retry: put, discard: (key) => dispatch("draft.discarded", key) };
}

export async function persistently(post) {
  for (const pause of PAUSES) {
    try {
      return await post();
    } catch (problem) {
      if (!isPassing(problem)) throw problem;
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
  return post();
}

// True if another try may succeed: there was no answer, or the server failed. A refusal is final.
const isPassing = ({ status }) => status === 0 || status >= 500;

// crypto.randomUUID() would be shorter, but it exists on https and localhost only.
export function newKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
