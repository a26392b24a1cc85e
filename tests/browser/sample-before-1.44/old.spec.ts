import { test, expect } from '@playwright/test';

test('an old shop is still open', async ({ page }) => {
  await page.setContent('<title>Old shop</title><h1>Open</h1>');
  await expect(page.getByRole('heading')).toHaveText('Open');
});
