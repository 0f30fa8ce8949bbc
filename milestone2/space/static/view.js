// What is shown. Text from the visitor goes through textContent alone, so that none of it is ever run as HTML.

import { hundredths, level, strongest } from './words.js';

const NUMBERS = ['no', 'one', 'two', 'three', 'four', 'five', 'six'];

export const find = (id) => document.getElementById(id);

export function make(tag, { text, ...properties } = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  if (text !== undefined) element.textContent = text;
  element.append(...children);
  return element;
}

export const readable = (label) => label.replaceAll('_', ' ');
export const megabytes = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;

export function showProblem(sentence) {
  find('problem').textContent = sentence;
  find('problem').hidden = !sentence;
}

// A radio button for each choice: [{ value, text }].
export function fillChoices(fieldset, name, choices, chosen) {
  const old = fieldset.querySelectorAll('label');
  old.forEach((label) => label.remove());
  for (const { value, text } of choices) {
    const input = make('input', { type: 'radio', name, value, checked: value === chosen });
    fieldset.append(make('label', {}, input, make('span', { text })));
  }
  fieldset.hidden = choices.length < 2;
}

// One bar a label. `limits` holds a threshold for each, or is null where the highest score wins.
export function showBars(labels, scores, limits) {
  const highest = scores.indexOf(Math.max(...scores));
  const rows = labels.map((label, number) => {
    const limit = limits?.[number];
    const given = limits ? scores[number] >= limit : number === highest;
    const fill = make('div', { className: 'fill' });
    fill.style.width = `${100 * scores[number]}%`;
    const track = make('div', { className: 'track' }, fill);
    track.setAttribute('aria-hidden', 'true');
    if (limits) {
      const mark = make('div', { className: 'mark' });
      mark.style.left = `${100 * limit}%`;
      track.append(mark);
    }
    const verdict = limits
      ? `${given ? '✓ above' : 'below'} ${limit.toFixed(2)}`
      : given ? '✓ the highest' : '';
    return make('li', { className: given ? 'given' : '' },
      make('span', { className: 'name', text: readable(label) }), track,
      make('span', { className: 'number', text: scores[number].toFixed(2) }),
      make('span', { className: 'verdict', text: verdict }));
  });
  find('bars').replaceChildren(...rows);
}

export function sentence(labels, scores, limits) {
  const order = scores.map((_, number) => number).sort((a, b) => scores[b] - scores[a]);
  const named = (number) => `${readable(labels[number])} (${scores[number].toFixed(2)})`;
  if (!limits) return `The model says ${named(order[0])}.`;
  const given = order.filter((number) => scores[number] >= limits[number]).map(named);
  if (given.length === 0) return `No label reaches its threshold. The highest is ${named(order[0])}.`;
  const list = given.length === 1 ? given[0] : `${given.slice(0, -1).join(', ')} and ${given.at(-1)}`;
  return `The model gives ${given.length === 1 ? 'one label' : `${NUMBERS[given.length] ?? given.length} labels`}: ${list}.`;
}

// The text with every word shaded by what it adds to the score.
// `changes` may be shorter than the words: the rest is not tried yet.
export function showWords(parts, changes, label) {
  const pieces = parts.map(({ text, word }) => {
    const strength = word === undefined ? 0 : level(changes[word]);
    if (!strength) return document.createTextNode(text);
    const piece = make('span', { className: `word ${changes[word] > 0 ? 'up' : 'down'}`, text });
    piece.dataset.level = strength;
    const number = hundredths(changes[word]);
    if (strength > 1) piece.append(make('sup', { text: number }));
    piece.title = `${number} hundredths`;
    return piece;
  });
  find('words-text').replaceChildren(...pieces);
  const items = strongest(parts, changes).map(({ text, change }) => make('li', {},
    make('span', { text }),
    make('span', { className: 'number', text: hundredths(change) })));
  find('words-list').replaceChildren(...items);
  find('words-list').hidden = items.length === 0;
  // Said once, at the end: it is a live region.
  const all = parts.every(({ word }) => word === undefined || word < changes.length);
  const title = items.length
    ? `The words that change ${readable(label)} most, in hundredths:`
    : `No single word changes ${readable(label)} noticeably.`;
  find('words-state').textContent = all ? title : '';
}
