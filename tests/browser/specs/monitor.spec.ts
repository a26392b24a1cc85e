// The monitor's page: live with scripts, whole without them, for everybody's eyes.
import axe from 'axe-core';
import type { Page } from '@playwright/test';
import { MonitorPage } from '../filing/monitor_page';
import { test as base, expect, look } from './watched';

const test = base.extend<object, { monitor: MonitorPage }>({
  baseURL: async ({ monitor }, use) => use(monitor.address),
  monitor: [
    async ({}, use) => {
      const monitor = await MonitorPage.start();
      await use(monitor);
      await monitor.stop();
    },
    { scope: 'worker', timeout: 600_000 }, // It may have to be built.
  ],
});

const runner = (page: Page, number: number) => page.locator(`#runner-${number}`);

test('the page says what each runner does, used in the last hour, and was restarted for', async ({ page }) => {
  await page.goto('/');
  await expect(page).toHaveTitle('4 of 4 runners in service');
  await expect(runner(page, 1)).toContainText('end-to-end tests of acme/shop');
  await expect(runner(page, 1).getByRole('img', { name: /^CPU in the last 60 minutes: at most \d+%; the top is the limit, 200%$/ })).toBeVisible();
  await expect(runner(page, 1).locator('svg > path.line')).toHaveCount(2);
  await expect(runner(page, 2)).toContainText('it lost its connection to GitHub');
  await expect(runner(page, 3)).toContainText('GitHub says offline each time');
  await expect(runner(page, 4)).toContainText('runnerctl logs 4 -f');
  await expect(page.getByText('Sell <b>shoes</b> & socks')).toBeVisible();
  await expect(page.getByText('and 3 more')).toBeVisible();
  await expect(page.getByRole('link', { name: 'reports' })).toHaveAttribute('href', 'http://127.0.0.1:8089/');
});

test('it is renewed in place: focus, selection and scroll position stay', async ({ page, monitor }) => {
  await page.setViewportSize({ width: 800, height: 300 });
  await page.goto('/');
  const link = runner(page, 3).getByRole('link');
  await link.focus();
  await page.evaluate(() => {
    scrollTo(0, 200);
    (window as { isThisVisit?: boolean }).isThisVisit = true;
    getSelection()!.selectAllChildren(document.querySelector('#runner-3 h2')!);
  });
  await expect(runner(page, 2)).toContainText('idle');
  await monitor.does('busy 2');
  await expect(runner(page, 2)).toContainText('build of acme/shop', { timeout: 25_000 });
  await monitor.does('idle 2');
  await expect(runner(page, 2)).not.toContainText('acme/shop', { timeout: 25_000 });
  await expect(link).toBeFocused();
  const kept = await page.evaluate(() => [scrollY, (window as { isThisVisit?: boolean }).isThisVisit, String(getSelection())]);
  expect(kept).toEqual([200, true, 'homelab-runner-3']);
});

test('it asks nothing while nobody looks, and at once when somebody does', async ({ page }) => {
  await page.clock.install();
  let asked = 0;
  page.on('request', request => (asked += Number(request.resourceType() === 'fetch')));
  await page.goto('/');
  const hide = (hidden: boolean) =>
    page.evaluate(hidden => {
      Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });
      document.dispatchEvent(new Event('visibilitychange'));
    }, hidden);
  await hide(true);
  await page.clock.runFor(60_000);
  expect(asked).toBe(0);
  await hide(false);
  await expect.poll(() => asked).toBe(1);
});

test('a monitor that does not answer is told, with the time of what is shown', async ({ page, problems }) => {
  await page.goto('/');
  await page.route('/', route => route.abort('connectionrefused'));
  await expect(page.getByRole('status')).toContainText(/The monitor does not answer; this is how it was at .*\d\d/);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('4 of 4 runners in service');
  await page.unroute('/');
  await expect(page.getByRole('status')).toBeEmpty();
  expect(problems.splice(0).every(problem => problem.includes('CONNECTION_REFUSED'))).toBe(true);
});

test.describe('without scripts', () => {
  test.use({ javaScriptEnabled: false });
  test('all of it is there, and the browser asks again by itself', async ({ page }) => {
    await page.goto('/');
    await expect(runner(page, 1)).toContainText('end-to-end tests');
    await page.waitForEvent('framenavigated', { timeout: 20_000 });
    await expect(runner(page, 1)).toContainText('end-to-end tests');
  });
});

const SIZES = { desktop: { width: 1280, height: 800 }, phone: { width: 375, height: 812 } };

/** What stands wrong for whom cannot see it well, by axe-core. Its own script runs beside the page's policy. */
async function barriers(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const found = await page.evaluate(() => (window as unknown as { axe: typeof axe }).axe.run());
  return found.violations.map(({ id, nodes }) => `${id}: ${nodes.map(node => node.html).join(' ')}`);
}

// Last, since a runner that has failed stays so.
for (const state of ['well', 'failed'] as const) {
  for (const colorScheme of ['light', 'dark'] as const) {
    for (const [size, viewport] of Object.entries(SIZES)) {
      test.describe(`${state}, on a ${size} in ${colorScheme}`, () => {
        test.use({ viewport, colorScheme });
        test('nothing is in anybody’s way', async ({ page, monitor }) => {
          if (state === 'failed') await monitor.does('fail 4');
          await page.goto('/');
          await expect(runner(page, 4)).toContainText(state === 'failed' ? 'needs a person' : 'well');
          await look(page, `monitor-${state}-${size}-${colorScheme}`);
          expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth), 'it is wider than the window').toBeLessThanOrEqual(0);
          expect(await barriers(page)).toEqual([]);
        });
      });
    }
  }
}
