// Tells that a text is too long for the server. The text stays where it was written.

export const MESSAGE = 100_000; // characters; the server refuses a longer message
export const INSTRUCTIONS = 4_000;

// A long text may still have few enough characters, because an emoji counts twice in its length.
export function lengthProblem(subject, text, most) {
  const count = text.length > most ? [...text].length : 0;
  if (count <= most) return "";
  const [has, limit] = [count, most].map((number) => number.toLocaleString("en"));
  return `${subject} has ${has} characters, and ${limit} is the most.`;
}
