// Which words push a score: leave each out, score the rest, and compare (occlusion).

export const MOST_WORDS = 120; // more than the model reads of a text
const MOST_VARIANTS = 40; // each takes as long as scoring the text
const FROM = 0.005; // a smaller change is not shown

const isSpace = (piece) => /^\s/u.test(piece);

// How many neighbouring words are left out together: one, and more in a long text.
export function together(text) {
  const words = text.split(/\s+/u).filter(Boolean).length;
  return Math.max(1, Math.ceil(Math.min(words, MOST_WORDS) / MOST_VARIANTS));
}

// The text in parts, in order: { text, word } for a word (or neighbours that are left out together), { text } otherwise.
export function split(text) {
  const size = together(text);
  const parts = [];
  let words = 0;
  for (const piece of text.split(/(\s+)/u).filter(Boolean)) {
    const last = parts.at(-1);
    if (isSpace(piece)) {
      if (last?.word !== undefined && words % size && words < MOST_WORDS) last.text += piece;
      else parts.push({ text: piece });
    } else if (words >= MOST_WORDS) {
      parts.push({ text: piece });
    } else {
      if (words % size) last.text += piece;
      else parts.push({ text: piece, word: words / size });
      words += 1;
    }
  }
  return parts;
}

// For each word, the text without it.
export function variants(parts) {
  const words = parts.filter((part) => part.word !== undefined);
  return words.map(({ word }) => parts.filter((part) => part.word !== word).map((part) => part.text).join(''));
}

// How strongly a change is drawn: 0 (not at all) to 3.
export function level(change = 0) {
  const size = Math.abs(change);
  if (size < FROM) return 0;
  if (size < 0.05) return 1;
  return size < 0.2 ? 2 : 3;
}

// The words that raise a score most, then those that lower it: [{ text, change }], the strongest first.
export function strongest(parts, changes, count = 5) {
  const found = parts.filter((part) => part.word !== undefined && level(changes[part.word]) > 0);
  return found
    .map(({ text, word }) => ({ text: text.trim(), change: changes[word] }))
    .sort((a, b) => Math.abs(b.change) - Math.abs(a.change))
    .slice(0, count);
}

export function hundredths(change) {
  const number = Math.round(Math.abs(change) * 100);
  return `${change < 0 ? '−' : '+'}${number}`;
}
