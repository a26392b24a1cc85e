// What the report server and the monitor show, looked at in Debian's Chromium. `make browser` calls it.
import { defineConfig } from '@playwright/test';
import path from 'node:path';
import { TARGET } from './filing/places';

export default defineConfig({
  testDir: 'specs',
  globalSetup: './filing/setup.ts',
  outputDir: path.join(TARGET, 'failures'),
  // Two processors: one for the browser, one for the server.
  workers: 1,
  timeout: 60_000,
  expect: { timeout: 15_000 },
  reporter: 'list',
  use: {
    actionTimeout: 15_000,
    launchOptions: {
      executablePath: '/usr/bin/chromium',
      args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
    },
    screenshot: 'only-on-failure',
  },
});
