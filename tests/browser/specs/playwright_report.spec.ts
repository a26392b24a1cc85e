// Playwright's own report and trace viewer, as they come from the server.
import { test, expect, look } from './watched';
import type { Page } from '@playwright/test';

async function openReport(page: Page, runId: string, job: RegExp): Promise<void> {
  await page.goto(`/?q=${runId}`);
  await page.getByRole('link', { name: runId }).click();
  await page.locator('tbody tr', { hasText: job }).getByRole('link', { name: 'report' }).click();
}

test('the HTML report works, test by test, with its screenshots', async ({ page }) => {
  await openReport(page, '1002', /1 failed/);
  await page.getByRole('link', { name: 'a pear has its price' }).first().click();
  await expect(page.getByText('9.99 €').first()).toBeVisible();
  const screenshot = page.locator('img[src*="data/"]').first();
  await screenshot.scrollIntoViewIfNeeded();
  await expect.poll(() => screenshot.evaluate((image: HTMLImageElement) => image.naturalWidth)).toBeGreaterThan(300);
  await look(page, 'playwright-report');
});

test('a report without the slash at its end is the same report', async ({ page }) => {
  await openReport(page, '1002', /1 failed/);
  const address = page.url();
  await page.goto(address.replace(/\/$/, ''));
  await expect(page).toHaveURL(address);
  await expect(page.getByRole('link', { name: 'a pear has its price' }).first()).toBeVisible();
});

test('a trace is one click away and shows its snapshots', async ({ page }) => {
  await page.goto('/?q=1002');
  await page.getByRole('link', { name: 'trace' }).first().click();
  await expect(page).toHaveURL(/trace\/index\.html\?trace=http/);
  await page.getByText('Expect "toHaveText"').or(page.getByText('Navigate')).first().click();
  const snapshot = page.frameLocator('iframe[name="snapshot"]:visible');
  await expect(snapshot.getByRole('heading', { name: 'Fresh fruit' })).toBeVisible();
  await expect(snapshot.getByTestId('price')).toHaveText('9.99 €');
  expect(await page.evaluate(async () => (await navigator.serviceWorker.getRegistration())?.scope)).toMatch(/\/trace\/$/);
  await look(page, 'trace-viewer');
});

test('a video plays from where one jumps to', async ({ page }) => {
  const parts: string[] = [];
  page.on('response', answer => {
    if (answer.url().endsWith('.webm') && answer.status() === 206) parts.push(answer.headers()['content-range'] ?? '');
  });
  await openReport(page, '1002', /1 failed/);
  await page.getByRole('link', { name: 'a pear has its price' }).first().click();
  const video = page.locator('video').first();
  await video.scrollIntoViewIfNeeded();
  const seen = await video.evaluate(async (video: HTMLVideoElement) => {
    const event = (name: string) => new Promise(done => video.addEventListener(name, done, { once: true }));
    if (video.readyState < 1) await event('loadedmetadata');
    const sought = event('seeked');
    video.currentTime = 0.8;
    await sought;
    return { time: video.currentTime, width: video.videoWidth, error: video.error?.message };
  });
  expect(seen).toEqual({ time: 0.8, width: expect.any(Number), error: undefined });
  expect(seen.width).toBeGreaterThan(100);
  expect(parts.length).toBeGreaterThan(0);
});

test('a report of a Playwright from before 1.44 is filed by the older variables', async ({ page }) => {
  await openReport(page, '1003', /1 passed/);
  await page.getByRole('link', { name: 'an old shop is still open' }).first().click();
  await page.getByText('Test Steps').first().waitFor();
  await page.goto('/?q=1003');
  await page.getByRole('link', { name: '1003' }).click();
  await expect(page.locator('tbody tr')).toContainText('1 passed');
});
