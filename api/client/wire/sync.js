// Keeps the page equal to the server. It reads over REST whatever the socket's events do not bring:
// the first rows, missed changes, missing text, and replies that have been silent for a while.

import { createCatchUp } from "./catch-up.js";
import { createGaps } from "./gaps.js";
import { createSilence } from "./silence.js";

export function createSync(page) {
  const catchUp = createCatchUp(page);
  const fillGaps = createGaps({ ...page, catchUp });
  const { heard } = createSilence({ ...page, catchUp });
  return { catchUp, fillGaps, heard };
}
