// Headings of a reply stand below the page's title and the name of the speaker, and skip no rank.
// A screen reader then offers them as one outline.

const TOP = 3;
const LEAST = 6;

// Changes the tokens of a parsed text. Headings contain one another as before, whatever ranks the model has chosen.
export function ranked({ tokens }) {
  const around = []; // the ranks of the headings that contain this place
  for (const token of tokens) {
    if (token.type === "heading_open") enter(around, Number(token.tag.slice(1)));
    if (token.type.startsWith("heading_")) token.tag = `h${Math.min(TOP + around.length - 1, LEAST)}`;
  }
}

function enter(around, rank) {
  while (around.at(-1) >= rank) around.pop();
  around.push(rank);
}
