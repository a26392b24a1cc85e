// All reporters are on, and none is told where to write: that is what the started hook's variables are for.
import { defineConfig } from '@playwright/test';

const quiet = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];

export default defineConfig({
  testDir: 'tests',
  retries: 1,
  workers: 1,
  timeout: 30_000,
  expect: { timeout: 1000 },
  reporter: [['line'], ['html'], ['json'], ['junit'], ['blob']],
  use: {
    launchOptions: { executablePath: '/usr/bin/chromium', args: quiet },
    screenshot: 'on',
    trace: 'on',
    video: 'on',
  },
  projects: [
    { name: 'desktop', use: { viewport: { width: 960, height: 600 } } },
    { name: 'phone', use: { viewport: { width: 390, height: 700 } } },
  ],
});
