// Draws Markdown that grows. Only the changed nodes are replaced, so a selection further up survives.
// Long texts are drawn less often, so the page stays responsive.

import { keepFocus } from "./focus.js";
import { render } from "./markdown.js";
import { withCopyButtons } from "./message/code.js";

const SHARE = 5; // after a drawing of 1 ms, a growing text rests this many ms

const resting = new WeakMap(); // element -> {until, timer}

export function showMarkdown(element, text, whole) {
  const rest = resting.get(element);
  clearTimeout(rest?.timer);
  const wait = whole ? 0 : (rest?.until ?? 0) - performance.now();
  if (wait > 0) resting.set(element, { ...rest, timer: setTimeout(draw, wait, element, text) });
  else draw(element, text);
}

function draw(element, text) {
  const began = performance.now();
  keepFocus(() => patch(element, withCopyButtons(render(text))));
  const now = performance.now();
  resting.set(element, { until: now + SHARE * (now - began) });
}

function patch(element, fresh) {
  const known = [...element.childNodes];
  const nodes = [...fresh.childNodes];
  const changed = nodes.findIndex((node, at) => !known[at]?.isEqualNode(node));
  const from = changed < 0 ? nodes.length : changed;
  known.slice(from).forEach((node) => node.remove());
  element.append(...nodes.slice(from));
}
