// What the pages do: show starred words to those who ask, and fit the demo into its page.

const decode = (encoded) => new TextDecoder().decode(Uint8Array.from(atob(encoded), (letter) => letter.charCodeAt(0)));

// A starred word becomes a button. Within a link or another button it stays text, and follows the page's own button.
function makeButton(word) {
  const starred = word.textContent;
  const element = word.hasAttribute('data-plain') ? word : document.createElement('button');
  if (element !== word) {
    Object.assign(element, { type: 'button', className: 'masked' });
    word.replaceWith(element);
    element.addEventListener('click', () => show(element.getAttribute('aria-pressed') !== 'true'));
  }
  const show = (shown) => {
    element.textContent = shown ? decode(word.dataset.word) : starred;
    if (element === word) return;
    element.setAttribute('aria-pressed', String(shown));
    element.setAttribute('aria-label', shown ? element.textContent : `${starred}, a starred word`);
    element.title = shown ? 'Star this word' : 'Show this word';
  };
  show(false);
  return show;
}

function setUpWords() {
  const all = [...document.querySelectorAll('.masked[data-word]')].map(makeButton);
  const note = document.querySelector('.course-care');
  if (!note || all.length === 0) return;
  const button = document.createElement('button');
  Object.assign(button, { type: 'button', className: 'md-button course-reveal' });
  const set = (shown) => {
    button.setAttribute('aria-pressed', String(shown));
    button.textContent = shown ? 'Star the words again' : 'Show the starred words of this page';
  };
  button.addEventListener('click', () => {
    const shown = button.getAttribute('aria-pressed') !== 'true';
    set(shown);
    all.forEach((show) => show(shown));
  });
  set(false);
  note.append(button);
}

// The demo is a page of its own in a frame: it takes this page's colours and letters, and the frame its height.
function setUpDemo() {
  const frame = document.querySelector('.course-demo');
  if (!frame) return;
  const dress = () => {
    const root = frame.contentDocument?.documentElement;
    if (root) root.dataset.theme = document.body.dataset.mdColorScheme === 'slate' ? 'dark' : 'light';
  };
  const fit = () => {
    const { contentDocument: inside } = frame;
    if (!inside?.body) return;
    inside.documentElement.dataset.embedded = '';
    inside.documentElement.style.setProperty('--type', '"Source Sans 3", sans-serif');
    const fonts = document.querySelector('link[href$="assets/fonts.css"]');
    inside.head.append(Object.assign(inside.createElement('link'), { rel: 'stylesheet', href: fonts.href }));
    dress();
    new ResizeObserver(() => { frame.style.height = `${Math.ceil(inside.body.getBoundingClientRect().height)}px`; })
      .observe(inside.body);
  };
  frame.addEventListener('load', fit);
  if (frame.contentDocument?.readyState === 'complete' && frame.contentDocument.location.href !== 'about:blank') fit();
  new MutationObserver(dress).observe(document.body, { attributeFilter: ['data-md-color-scheme'] });
}

setUpWords();
setUpDemo();
