// The model, seen from the page: messages to the worker and its answers as promises.

export class Engine {
  #worker = null;
  #waiting = new Map();
  #next = 0;
  #onProgress;

  // onProgress(received, total) is called, in bytes, while a model is downloaded.
  constructor(onProgress = () => {}) {
    this.#onProgress = onProgress;
  }

  // Make a model ready; at once if it is. `settings` is what the worker needs to know of it (see app.js).
  load(settings) {
    return this.#ask({ task: 'load', settings });
  }

  // Scores of texts, one row of probabilities each, in the texts' order, and how many tokens each text has.
  score(key, texts) {
    return this.#ask({ task: 'score', key, texts });
  }

  #ask(message) {
    this.#worker ??= this.#start();
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ id, ...message });
    });
  }

  #start() {
    const worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
    worker.addEventListener('message', ({ data }) => {
      if (data.progress) return this.#onProgress(data.progress.received, data.progress.total);
      const { resolve, reject } = this.#waiting.get(data.id);
      this.#waiting.delete(data.id);
      if (data.error) reject(new Error(data.error));
      else resolve(data.answer);
    });
    worker.addEventListener('error', (event) => {
      event.preventDefault();
      const why = event.message || 'its program could not be downloaded';
      for (const { reject } of this.#waiting.values()) reject(new Error(`The model’s worker stopped: ${why}.`));
      this.#waiting.clear();
      worker.terminate();
      this.#worker = null; // the next question starts a new one
    });
    return worker;
  }
}
