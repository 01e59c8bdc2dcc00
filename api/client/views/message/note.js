// The line below a message: its state in words, with what it costs, and why a reply waits.

export function noteOf({ message, place, paused, edited }) {
  const { status, content, error, problem, passing, credits } = message;
  if (edited) return "Your edit is not saved yet. Choose “Edit” to go on.";
  if (status === "sending") return "Sending…";
  if (status === "unsent") return `Not sent: ${problem}${passing ? " The page will send it when it can." : ""}`;
  if (status === "failed") return error?.detail ?? "The reply failed.";
  if (status === "cancelled") return stopped(credits);
  if (status === "pending" && (place || !content)) return waiting(message, place, paused);
  return status === "running" && !content ? "Thinking…" : "";
}

function stopped(credits) {
  if (credits?.charged) return `Stopped. The text so far cost ${counted(credits.charged, "credit")}.`;
  return credits?.released ? "Stopped. Your credits were returned." : "Stopped.";
}

function waiting({ attempt, credits }, place, paused) {
  if (attempt > 0) return "Waiting for the next try…";
  if (!place) return "Waiting…";
  const price = credits?.held ? ` ${counted(credits.held, "credit")} held.` : "";
  return `Waiting: ${reason(place, paused)}.${price}`;
}

function reason({ ahead, estimatedStartAt, noWorker }, paused) {
  if (paused) return "this chat is paused until you go on";
  if (noWorker) return "no worker runs on the server now; the reply begins when one is back";
  const before = ahead ? `${counted(ahead, "reply", "replies")} before it` : "it is next";
  return estimatedStartAt ? `${before}, begins ${moment(estimatedStartAt)}` : before;
}

function moment(at) {
  const minutes = Math.round((Date.parse(at) - Date.now()) / 60_000);
  return minutes < 1 ? "within a minute" : `in about ${counted(minutes, "minute")}`;
}

const counted = (count, one, many = `${one}s`) => `${count} ${count === 1 ? one : many}`;
