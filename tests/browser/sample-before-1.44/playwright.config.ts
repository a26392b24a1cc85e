import { defineConfig } from '@playwright/test';

export default defineConfig({
  testDir: '.',
  workers: 1,
  timeout: 30_000,
  reporter: [['line'], ['html'], ['json'], ['junit']],
  use: {
    launchOptions: { executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'] },
    screenshot: 'on',
    trace: 'on',
  },
});
