// Renews the page in place: what has not changed is left alone, and with it focus, scroll position and what is selected.
'use strict';
const PAUSE = 5000; // milliseconds
const LONGEST_ANSWER = 10000;

const lost = document.createElement('p');
lost.className = 'failed';
lost.setAttribute('role', 'status');
document.body.prepend(lost);
let seen = new Date();
let timer;

function renewAttributes(old, next) {
  for (const { name } of [...old.attributes]) if (!next.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of next.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
}

function renew(old, next) {
  if (old.isEqualNode(next)) return;
  if (old.nodeName !== next.nodeName) old.replaceWith(next);
  else if (old.nodeType !== Node.ELEMENT_NODE) old.nodeValue = next.nodeValue;
  else {
    renewAttributes(old, next);
    const [there, coming] = [[...old.childNodes], [...next.childNodes]];
    coming.forEach((node, place) => (place < there.length ? renew(there[place], node) : old.append(node)));
    there.slice(coming.length).forEach(node => node.remove());
  }
}

async function look() {
  clearTimeout(timer);
  if (document.hidden) return; // Goes on once somebody looks.
  try {
    const answer = await fetch('/', { cache: 'no-store', signal: AbortSignal.timeout(LONGEST_ANSWER) });
    if (!answer.ok) throw new Error(answer.statusText);
    const next = new DOMParser().parseFromString(await answer.text(), 'text/html');
    renew(document.querySelector('main'), next.querySelector('main'));
    if (document.title !== next.title) document.title = next.title;
    seen = new Date();
    if (lost.textContent) lost.textContent = '';
  } catch {
    lost.textContent = `The monitor does not answer; this is how it was at ${seen.toLocaleTimeString()}.`;
  }
  clearTimeout(timer);
  timer = setTimeout(look, PAUSE);
}

document.addEventListener('visibilitychange', look);
timer = setTimeout(look, PAUSE);
