// A page of which nothing may go wrong unseen.
import { test as base, type Page } from '@playwright/test';
import { LOOKS } from '../filing/places';
import path from 'node:path';

/** `problems`: what the browser complained about; a test fails at its end unless the list is empty then. */
export const test = base.extend<{ problems: string[] }>({
  baseURL: async ({}, use) => use(`http://127.0.0.1:${process.env.REPORTS_PORT}`),
  problems: [
    async ({ context }, use) => {
      const problems: string[] = [];
      const watch = (page: Page) => {
        page.on('pageerror', error => problems.push(`error of the page: ${error}`));
        page.on('dialog', dialog => (problems.push(`dialog: ${dialog.message()}`), dialog.dismiss()));
        page.on('console', message => {
          // Violations of a policy are told there, too.
          if (message.type() === 'error' || /Content.Security.Policy|CSP/.test(message.text())) problems.push(`console: ${message.text()}`);
        });
      };
      context.on('page', watch);
      context.on('requestfailed', request => {
        // Chromium stops what it has enough of, such as a video.
        if (request.failure()?.errorText !== 'net::ERR_ABORTED') problems.push(`request failed: ${request.url()} ${request.failure()?.errorText}`);
      });
      context.on('response', answer => {
        if (answer.status() >= 400) problems.push(`${answer.status()}: ${answer.url()}`);
      });
      await use(problems);
      if (problems.length > 0) throw new Error(problems.join('\n'));
    },
    { auto: true },
  ],
});

export { expect } from '@playwright/test';

/** A screenshot for people, below `target/browser/looks`. */
export async function look(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: path.join(LOOKS, `${name}.png`), fullPage: true });
}
