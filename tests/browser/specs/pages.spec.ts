// Our own pages over the reports that the workflow jobs filed.
import { test, expect, look } from './watched';

test('the index has a run a line, and a look at what failed', async ({ page }) => {
  await page.goto('/');
  await expect(page.locator('tbody tr')).toHaveCount(3);
  const matrix = page.locator('tbody tr', { hasText: '1002' });
  await expect(matrix.locator('.failed').first()).toBeVisible();
  const thumbnail = matrix.getByRole('img').first();
  await thumbnail.scrollIntoViewIfNeeded();
  await expect.poll(() => thumbnail.evaluate((image: HTMLImageElement) => image.naturalWidth)).toBeGreaterThan(100);
});

test('filters and search narrow the index down, and the way back is the way back', async ({ page }) => {
  await page.goto('/');
  await page.getByRole('combobox', { name: 'outcome' }).selectOption('failed');
  await page.getByRole('button', { name: 'Show' }).click();
  await expect(page.locator('tbody tr')).toHaveCount(1);
  await expect(page).toHaveURL(/outcome=failed/);
  await page.goBack();
  await expect(page.locator('tbody tr')).toHaveCount(3);
  await page.goForward();
  await expect(page.locator('tbody tr')).toHaveCount(1);
  await page.getByRole('link', { name: 'All', exact: true }).click();
  await page.getByRole('searchbox').fill('UI TESTS');
  await page.keyboard.press('Enter');
  await expect(page.locator('tbody tr')).toHaveCount(1);
  await expect(page.locator('tbody tr')).toContainText('1001');
  await page.getByRole('searchbox').fill('no such thing');
  await page.keyboard.press('Enter');
  await expect(page.getByText('No reports')).toBeVisible();
});

test('shards and a re-run lie side by side, and the last attempt decides', async ({ page }) => {
  await page.goto('/');
  await page.getByRole('link', { name: '1001' }).click();
  const jobs = page.locator('tbody tr');
  await expect(jobs).toHaveCount(3);
  await expect(jobs.filter({ hasText: '1 failed' })).toHaveCount(1);
  await expect(jobs.filter({ has: page.getByText('flaky', { exact: true }) })).toHaveCount(1);
  await expect(page.locator('main, body').first()).toContainText('passed');
  for (const job of await jobs.all()) await expect(job.getByRole('link', { name: 'report' })).toBeVisible();
  const address = page.url();
  await page.goto('/');
  await page.goto(address);
  await expect(jobs).toHaveCount(3);
});

test('legs of a matrix do not collide', async ({ page }) => {
  await page.goto('/?q=1002');
  await page.getByRole('link', { name: '1002' }).click();
  const jobs = page.locator('tbody tr');
  await expect(jobs).toHaveCount(2);
  await expect(jobs.filter({ hasText: 'homelab-runner-1' })).toContainText('1 failed');
  await expect(jobs.filter({ hasText: 'homelab-runner-2' })).toContainText('1 passed');
});

test('other files are listed and shown, those of no known kind are stored', async ({ page }) => {
  await page.goto('/?q=1001');
  await page.getByRole('link', { name: '1001' }).click();
  const job = page.locator('tbody tr', { has: page.getByText('flaky', { exact: true }) });
  await job.getByRole('link').first().click();
  for (const name of ['junit.xml', 'results.json', 'html/', 'coverage/', 'notes.txt']) {
    await expect(page.getByRole('link', { name, exact: true })).toBeVisible();
  }
  await look(page, 'files-desktop-light');
  await page.getByRole('link', { name: 'junit.xml' }).click();
  await expect(page.locator('body')).toContainText('<testsuites');
  await page.goBack();
  await page.getByRole('link', { name: 'coverage/' }).click();
  await expect(page.getByRole('heading')).toHaveText('Coverage 93 %');
  await page.goBack();
  const stored = page.waitForEvent('download');
  await page.getByRole('link', { name: 'heap.snapshot' }).click();
  await (await stored).path();
});

const SIZES = { desktop: { width: 1280, height: 800 }, phone: { width: 390, height: 844 } };

for (const colorScheme of ['light', 'dark'] as const) {
  for (const [size, viewport] of Object.entries(SIZES)) {
    test.describe(`on a ${size} in ${colorScheme}`, () => {
      test.use({ viewport, colorScheme });
      test(`the pages fit`, async ({ page, problems }) => {
        for (const [name, address] of [['index', '/'], ['run', '/?q=1001'], ['missing', '/r/ci/none']] as const) {
          await page.goto(address);
          if (name === 'run') await page.getByRole('link', { name: '1001' }).click();
          for (const image of await page.getByRole('img').all()) await image.scrollIntoViewIfNeeded();
          await look(page, `${name}-${size}-${colorScheme}`);
          const isWide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
          expect(isWide, `${name} is wider than the window`).toBe(false);
          const [red, green, blue] = await page.evaluate(() => getComputedStyle(document.body).backgroundColor.match(/\d+/g)!.map(Number));
          expect(red! + green! + blue! < 300, `${name} is dark`).toBe(colorScheme === 'dark');
        }
        // The browser complains about the page that is not there.
        expect(problems.splice(0).every(problem => problem.includes('404'))).toBe(true);
      });
    });
  }
}
