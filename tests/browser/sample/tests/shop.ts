// The shop under test: one page, with prices as SHOP_PRICES has them.
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { test as base } from '@playwright/test';

const page = (price: string) => `<!doctype html><meta charset="utf-8"><title>Shop</title>
<style>
  body { font: 20px system-ui; margin: 2rem; background: #fdf6e3 }
  .pear { width: 60px; height: 60px; border-radius: 50%; background: #859900; animation: roll 2s infinite alternate }
  @keyframes roll { to { transform: translateX(300px) } }
</style>
<h1>Fresh fruit</h1><div class="pear"></div>
<p>A pear costs <b data-testid="price">${price}</b></p>
<button onclick="document.querySelector('output').value++">Add to basket</button>
<p>In the basket: <output>0</output></p>`;

export const test = base.extend<{}, { shop: string }>({
  shop: [
    async ({}, use) => {
      const server = http.createServer((_, answer) => {
        answer.setHeader('content-type', 'text/html; charset=utf-8');
        answer.end(page(process.env.SHOP_PRICES === 'wrong' ? '9.99 €' : '1.20 €'));
      });
      await new Promise<void>(done => server.listen(0, '127.0.0.1', done));
      await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
      server.closeAllConnections();
      server.close();
    },
    { scope: 'worker' },
  ],
});

export { expect } from '@playwright/test';
