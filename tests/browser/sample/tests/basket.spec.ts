import { test, expect } from './shop';

test('the basket counts what is put into it', async ({ page, shop }) => {
  await page.goto(shop);
  await page.getByRole('button', { name: 'Add to basket' }).click();
  await page.getByRole('button', { name: 'Add to basket' }).click();
  await expect(page.getByRole('status')).toHaveText('2');
});

test('the basket starts empty', async ({ page, shop }, info) => {
  await page.goto(shop);
  // Right at the second attempt alone.
  await expect(page.getByRole('status')).toHaveText(info.retry === 0 ? '1' : '0');
});
