// The page: what is chosen and typed goes to the model, what the model says goes to the view.

import { Engine } from './engine.js';
import { fillChoices, find, make, megabytes, readable, sentence, showBars, showProblem, showWords } from './view.js';
import { MOST_WORDS, split, together, variants } from './words.js';

const MOST_CHARACTERS = 5000;
const VARIANTS_AT_ONCE = 8;
// A module that uses SIMD, which ONNX Runtime needs: a browser either takes it or does not.
const SIMD = [0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11];

const engine = new Engine(showProgress);
const ready = new Set(); // keys of models that are downloaded
let catalogue = null;
let model = null;
let precision = 'int8';
let shown = null; // { model, text, scores } of the result on the page
let words = null; // { parts, changes } of the same text; changes has a row of labels for each word
let run = 0; // counts analyses, so that an outdated one stops

start();

async function start() {
  find('not-started').remove();
  if (typeof WebAssembly !== 'object' || !WebAssembly.validate(new Uint8Array(SIMD))) {
    find('form').hidden = true;
    return showProblem('This browser has no WebAssembly (with SIMD), on which the model runs. It may be switched off, as in '
      + 'a lockdown mode; otherwise use Firefox, Chrome, Edge or Safari in a version of 2023 or later.');
  }
  try {
    const answer = await fetch('models.json');
    if (!answer.ok) throw new Error(`the server says ${answer.status}`);
    catalogue = await answer.json();
  } catch (error) {
    find('form').hidden = true;
    return showProblem(`The list of models (models.json) could not be read: ${error.message}. Build the page again.`);
  }
  fillChoices(find('models'), 'model', catalogue.models.map(({ name, title }) => ({ value: name, text: title })), catalogue.models[0].name);
  chooseModel(catalogue.models[0].name);
  listen();
}

function listen() {
  find('form').addEventListener('submit', (event) => { event.preventDefault(); analyze(); });
  find('text').addEventListener('input', showCount);
  find('text').addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) { event.preventDefault(); analyze(); }
  });
  find('models').addEventListener('change', (event) => chooseModel(event.target.value));
  find('precisions').addEventListener('change', (event) => { precision = event.target.value; showDownload(); if (shown) analyze(); });
  find('thresholds').addEventListener('change', showScores);
  find('own').addEventListener('input', () => {
    find('own-value').textContent = Number(find('own').value).toFixed(2);
    find('thresholds').querySelector('[value=own]').checked = true;
    showScores();
  });
  find('label').addEventListener('change', drawWords);
}

function chooseModel(name) {
  run += 1; // whatever is under way was for another model
  model = catalogue.models.find((entry) => entry.name === name);
  precision = 'int8';
  fillChoices(find('precisions'), 'precision',
    model.files.map((file) => ({ value: file.precision, text: `${file.precision}, ${megabytes(file.bytes)}` })), precision);
  const hasChosen = Object.keys(model.thresholds).length > 0;
  find('chosen').hidden = !hasChosen;
  find('thresholds').querySelector(`[value=${hasChosen ? 'chosen' : 'half'}]`).checked = true;
  find('most-pieces').textContent = model.max_length;
  find('thresholds').hidden = !isMultiLabel(model);
  find('options').hidden = !isMultiLabel(model) && model.files.length < 2;
  const buttons = model.examples.map(({ shown: masked, text }) => {
    const button = make('button', { type: 'button', text: masked });
    button.addEventListener('click', () => { find('text').value = text; showCount(); find('text').focus(); });
    return make('li', {}, button);
  });
  find('examples').replaceChildren(...buttons);
  clearResult();
  showDownload();
  setBusy(false);
}

const isMultiLabel = ({ problem_type: type }) => type === 'multi_label_classification';
const keyOf = (entry, wanted) => `${entry.name} ${wanted}`;

function settings(entry, wanted) {
  const file = entry.files.find((each) => each.precision === wanted);
  return {
    key: keyOf(entry, wanted),
    base: document.baseURI,
    runtimeFile: catalogue.runtime,
    modelFile: file,
    tokenizerFile: entry.tokenizer,
    configFile: entry.tokenizer_config,
    maxLength: entry.max_length,
    multiLabel: isMultiLabel(entry),
  };
}

function showDownload() {
  const { runtimeFile, modelFile, tokenizerFile, configFile } = settings(model, precision);
  const runtime = ready.size ? 0 : runtimeFile.bytes;
  const total = modelFile.bytes + tokenizerFile.bytes + configFile.bytes + runtime;
  find('download').textContent = ready.has(keyOf(model, precision))
    ? 'The model is ready: nothing more is downloaded.'
    : `The first analysis downloads ${megabytes(total)}: the model${runtime ? ' and the program that runs it' : ''}.`;
}

function showProgress(received, total) {
  find('progress').hidden = false;
  find('progress-bar').value = 100 * received / total;
  find('progress-text').textContent = received < total
    ? `Downloading: ${megabytes(received)} of ${megabytes(total)}` : 'Preparing the model …';
}

function showCount() {
  const count = find('text').value.length;
  const most = MOST_CHARACTERS.toLocaleString('en');
  find('count').textContent = `${count.toLocaleString('en')} of ${most} characters${count >= MOST_CHARACTERS ? ': that is the most' : ''}`;
}

function setBusy(busy) {
  // Not `disabled`, which would take the keyboard's focus away.
  find('analyze').setAttribute('aria-disabled', String(busy));
  find('analyze').textContent = busy ? 'Analyzing …' : 'Analyze';
}

function clearResult() {
  shown = words = null;
  find('summary').textContent = '';
  find('result').hidden = find('words').hidden = true;
}

async function prepare(entry = model, wanted = precision) {
  await engine.load(settings(entry, wanted));
  ready.add(keyOf(entry, wanted));
  find('progress').hidden = true;
  showDownload();
  return keyOf(entry, wanted);
}

async function analyze() {
  if (find('analyze').getAttribute('aria-disabled') === 'true') return;
  const text = find('text').value;
  showProblem(text.trim() ? '' : 'There is nothing to analyze yet. Write a comment first.');
  if (!text.trim()) return find('text').focus();
  const mine = ++run;
  const entry = model;
  setBusy(true);
  find('words').setAttribute('aria-busy', 'true');
  try {
    const key = await prepare();
    const from = performance.now();
    const { scores, tokens } = await engine.score(key, [text]);
    if (mine !== run) return;
    const milliseconds = Math.max(1, Math.round(performance.now() - from));
    shown = { entry, key, text, scores: scores[0] };
    const cut = tokens[0] > entry.max_length
      ? ` The text has ${tokens[0]} word pieces; the model read the first ${entry.max_length}.` : '';
    find('facts').textContent = `Scored in ${milliseconds} ms on this device.${cut}`;
    fillLabels();
    find('result').hidden = false;
    showScores();
    setBusy(false);
    await occlude(mine);
  } catch (error) {
    if (mine === run) { clearResult(); showProblem(error.message); }
  } finally {
    if (mine === run) setBusy(false);
    find('progress').hidden = true;
  }
}

function limits() {
  if (!isMultiLabel(shown.entry)) return null;
  const way = find('thresholds').querySelector(':checked').value;
  const fixed = way === 'half' ? 0.5 : Number(find('own').value);
  return shown.entry.labels.map((label) => (way === 'chosen' ? shown.entry.thresholds[label] ?? 0.5 : fixed));
}

function showScores() {
  if (!shown) return;
  showBars(shown.entry.labels, shown.scores, limits());
  find('summary').textContent = sentence(shown.entry.labels, shown.scores, limits());
}

function fillLabels() {
  const highest = shown.scores.indexOf(Math.max(...shown.scores));
  find('label').replaceChildren(...shown.entry.labels.map((label, number) =>
    make('option', { value: String(number), text: readable(label), selected: number === highest })));
}

async function occlude(mine) {
  const { entry, key, text, scores } = shown;
  const parts = split(text);
  const without = variants(parts);
  const changes = [];
  words = { entry, parts, changes };
  find('words').hidden = false;
  while (changes.length < without.length) {
    find('words-progress').textContent = `Leaving out each word: ${changes.length} of ${without.length} …`;
    drawWords();
    const next = await engine.score(key, without.slice(changes.length, changes.length + VARIANTS_AT_ONCE));
    if (mine !== run) return;
    changes.push(...next.scores.map((row) => row.map((score, label) => scores[label] - score)));
  }
  drawWords();
  const size = together(text);
  find('words-progress').textContent = size > 1
    ? `The text is long: neighbours are left out ${size} at a time, up to word ${MOST_WORDS}.` : '';
  find('words').setAttribute('aria-busy', 'false');
}

function drawWords() {
  if (!words) return;
  const label = Number(find('label').value);
  showWords(words.parts, words.changes.map((row) => row[label]), words.entry.labels[label]);
}

// For tests, and for anyone who opens the console:
//   await course.score(['Thank you!'])   probabilities, a row for each text, of the model that is chosen on the page
//   await course.tokens(['Thank you!'])  the ids that the model gets
//   course.labels()                      names of the columns
window.course = {
  score: async (texts) => (await engine.score(await prepare(), texts)).scores,
  tokens: async (texts) => (await engine.score(await prepare(), texts)).ids,
  labels: () => [...model.labels],
};
