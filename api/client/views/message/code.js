// A button above each block of code. It copies the block.

const NAME = 40; // characters of the code that name its button

// Puts each block of the fragment into a frame with its button. The same text always makes the same nodes.
export function withCopyButtons(fragment) {
  fragment.querySelectorAll("pre").forEach((block) => {
    const frame = document.createElement("div");
    frame.className = "code";
    block.replaceWith(frame);
    frame.append(block, button(block.textContent.trim().split("\n", 1)[0].slice(0, NAME)));
  });
  return fragment;
}

function button(name) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "link";
  made.dataset.action = "copy-code";
  made.textContent = "Copy";
  made.ariaLabel = `Copy the code: ${name}`;
  return made;
}

export const codeOf = (pressed) => pressed.closest(".code").querySelector("pre").textContent;
