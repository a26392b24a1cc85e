import { test, expect } from './shop';

test('a pear has its price', async ({ page, shop }) => {
  await page.goto(shop);
  await expect(page.getByTestId('price')).toHaveText('1.20 €');
});

test('the shop has a name', async ({ page, shop }) => {
  await page.goto(shop);
  await expect(page).toHaveTitle('Shop');
});
