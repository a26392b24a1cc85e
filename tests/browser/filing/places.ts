// Where things are.
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** `tests/browser`. */
export const HERE = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

/** The repository. */
export const ROOT = path.dirname(path.dirname(HERE));

/** Everything that is written here. */
export const TARGET = path.join(ROOT, 'target', 'browser');

/** Screenshots of our own pages, to be looked at. */
export const LOOKS = path.join(TARGET, 'looks');

/** Stands for what `playwright install` would fetch. */
export const BROWSERS = path.join(TARGET, 'ms-playwright');

/** The root directory of a runner's container, as far as the hooks look at it. */
export const RUNNER = path.join(TARGET, 'runner');

/** The reports of the projects that are here. */
export const REPORTS = path.join(RUNNER, 'reports');

/** Where Debian has what Playwright would look for in its own place. */
export function placeDebiansFfmpeg(): void {
  const list = fs.readFileSync(path.join(HERE, 'node_modules', 'playwright-core', 'browsers.json'), 'utf8');
  const { revision } = JSON.parse(list).browsers.find((browser: { name: string }) => browser.name === 'ffmpeg');
  const directory = path.join(BROWSERS, `ffmpeg-${revision}`);
  fs.mkdirSync(directory, { recursive: true });
  fs.rmSync(path.join(directory, 'ffmpeg-linux'), { force: true });
  fs.symlinkSync('/usr/bin/ffmpeg', path.join(directory, 'ffmpeg-linux'));
}
