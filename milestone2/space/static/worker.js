// Downloads models and runs them, beside the page's own thread, so that typing and scrolling never wait.

import * as ort from './vendor/ort.wasm.bundle.min.mjs';
import { Tokenizer } from './vendor/tokenizers.min.mjs';

const BATCH = 8;
const loaded = new Map(); // key -> promise of a model
let runtime = null;

self.addEventListener('message', async ({ data }) => {
  const { id, task } = data;
  try {
    if (task === 'load') {
      await ready(data.settings);
      self.postMessage({ id, answer: true });
    } else {
      self.postMessage({ id, answer: await score(await loaded.get(data.key), data.texts) });
    }
  } catch (error) {
    self.postMessage({ id, error: error.message || String(error) });
  }
});

function ready(settings) {
  if (!loaded.has(settings.key)) {
    const model = load(settings);
    loaded.set(settings.key, model);
    model.catch(() => loaded.delete(settings.key)); // so that another click tries again
  }
  return loaded.get(settings.key);
}

async function load({ base, runtimeFile, modelFile, tokenizerFile, configFile, maxLength, multiLabel }) {
  const needed = runtime ? [modelFile, tokenizerFile, configFile] : [modelFile, tokenizerFile, configFile, runtimeFile];
  const total = needed.reduce((sum, file) => sum + file.bytes, 0);
  let received = 0;
  const count = (bytes) => {
    received += bytes;
    self.postMessage({ progress: { received, total } });
  };
  const [weights, vocabulary, configuration, wasm] = await Promise.all(needed.map((file) => download(base, file, count)));
  if (!runtime) {
    ort.env.wasm.numThreads = 1; // more would need headers (COOP, COEP) that static hosts do not send
    ort.env.wasm.wasmBinary = wasm.buffer;
    ort.env.logLevel = 'error';
    runtime = ort;
  }
  const read = (bytes) => JSON.parse(new TextDecoder().decode(bytes));
  const tokenizer = new Tokenizer(read(vocabulary), read(configuration));
  // 'basic' computes the float32 matrices from their int8 numbers; the further levels take time and win none here.
  const session = await ort.InferenceSession.create(weights, { executionProviders: ['wasm'], graphOptimizationLevel: 'basic' });
  const padId = tokenizer.token_to_id(read(configuration).pad_token ?? '[PAD]') ?? 0;
  const lowercases = JSON.stringify(read(vocabulary).normalizer ?? {}).includes('"lowercase":true');
  return { tokenizer, session, padId, lowercases, maxLength, multiLabel };
}

async function download(base, file, count) {
  let answer;
  try {
    answer = await fetch(new URL(file.path, base));
  } catch {
    throw new Error(`${file.path} could not be downloaded. Check the connection, then press Analyze again.`);
  }
  if (!answer.ok) throw new Error(`${file.path} could not be downloaded (the server says ${answer.status}).`);
  const bytes = new Uint8Array(file.bytes);
  let place = 0;
  const reader = answer.body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    if (place + value.length > bytes.length) throw new Error(`${file.path} is not the file that this page was built with.`);
    bytes.set(value, place);
    place += value.length;
    count(value.length);
  }
  if (place !== bytes.length) throw new Error(`The download of ${file.path} broke off. Press Analyze again.`);
  return bytes;
}

// The same tokens as in Python: the text's own first pieces, between the special tokens, maxLength in all.
function encode({ tokenizer, lowercases, maxLength }, text) {
  // JavaScript lower-cases a Greek capital sigma at the end of a word in another way than the Rust tokenizers do.
  const prepared = lowercases ? text.replaceAll('Σ', 'σ') : text;
  const { ids } = tokenizer.encode(prepared.toWellFormed?.() ?? prepared);
  if (ids.length <= maxLength) return { ids, tokens: ids.length };
  const closing = ids.length - 1; // BERT and RoBERTa close a text with one special token
  return { ids: [...ids.slice(0, maxLength - 1), ids[closing]], tokens: ids.length };
}

async function score(model, texts) {
  const encoded = texts.map((text) => encode(model, text));
  const order = encoded.map((_, number) => number).sort((a, b) => encoded[a].ids.length - encoded[b].ids.length);
  const scores = new Array(texts.length);
  for (let start = 0; start < order.length; start += BATCH) {
    const rows = order.slice(start, start + BATCH);
    const found = await scoreBatch(model, rows.map((row) => encoded[row].ids));
    rows.forEach((row, place) => { scores[row] = found[place]; });
  }
  return { scores, tokens: encoded.map(({ tokens }) => tokens), ids: encoded.map(({ ids }) => ids) };
}

async function scoreBatch({ session, padId, multiLabel }, batch) {
  const width = Math.max(...batch.map((ids) => ids.length));
  const shape = [batch.length, width];
  const ids = new BigInt64Array(batch.length * width).fill(BigInt(padId));
  const attended = new BigInt64Array(batch.length * width);
  batch.forEach((tokens, row) => tokens.forEach((token, place) => {
    ids[row * width + place] = BigInt(token);
    attended[row * width + place] = 1n;
  }));
  const feed = { input_ids: ids, attention_mask: attended, token_type_ids: new BigInt64Array(ids.length) };
  const tensors = Object.fromEntries(session.inputNames.map((name) => [name, new ort.Tensor('int64', feed[name], shape)]));
  const { logits } = await session.run(tensors);
  const labels = logits.dims[1];
  return batch.map((_, row) => {
    const values = Array.from(logits.data.slice(row * labels, (row + 1) * labels));
    return multiLabel ? values.map((value) => 1 / (1 + Math.exp(-value))) : softmax(values);
  });
}

function softmax(values) {
  const highest = Math.max(...values);
  const powers = values.map((value) => Math.exp(value - highest));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}
