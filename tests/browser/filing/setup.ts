// Before the first test: workflow jobs file their reports, and the server shows them.
import fs from 'node:fs';
import { LOOKS, REPORTS, RUNNER, TARGET, placeDebiansFfmpeg } from './places';
import { ReportServer } from './report_server';
import { Runner } from './runner';
import { run, type WorkflowJob } from './workflow_job';

const UI: Omit<WorkflowJob, 'attempt' | 'runner' | 'arguments'> = { workflow: 'ui tests', runId: 1001, job: 'test', project: 'sample' };
const MATRIX: Omit<WorkflowJob, 'runner' | 'arguments'> = { workflow: 'matrix', runId: 1002, attempt: 1, job: 'browsers', project: 'sample' };

const COVERAGE = { 'coverage/index.html': '<!doctype html><title>Coverage</title><h1>Coverage 93 %</h1>', 'notes.txt': 'seen by nobody\n', 'heap.snapshot': '\0' };

/** What runs beside each other, one after the other. */
const ROUNDS: WorkflowJob[][] = [
  [
    { ...UI, attempt: 1, runner: 'homelab-runner-1', arguments: ['--project=desktop', '--shard=1/2'], files: COVERAGE },
    { ...UI, attempt: 1, runner: 'homelab-runner-2', arguments: ['--project=desktop', '--shard=2/2'], env: { SHOP_PRICES: 'wrong' } },
  ],
  [
    // "Re-run failed jobs".
    { ...UI, attempt: 2, runner: 'homelab-runner-1', arguments: ['--project=desktop', '--shard=2/2'] },
    { workflow: 'old', runId: 1003, attempt: 1, job: 'test', runner: 'homelab-runner-2', project: 'sample-before-1.44', arguments: [] },
  ],
  [
    { ...MATRIX, runner: 'homelab-runner-1', arguments: ['--project=desktop', '-g', 'has its price'], env: { SHOP_PRICES: 'wrong' } },
    { ...MATRIX, runner: 'homelab-runner-2', arguments: ['--project=phone', '-g', 'has a name'] },
  ],
];

export default async function setup(): Promise<() => void> {
  // Reports of an earlier call are good enough while somebody works on a page.
  if (!process.env.KEEP_REPORTS || !fs.existsSync(REPORTS)) await file();
  fs.mkdirSync(LOOKS, { recursive: true });
  const server = await ReportServer.start(REPORTS);
  process.env.REPORTS_PORT = String(server.port);
  return () => server.stop();
}

async function file(): Promise<void> {
  fs.rmSync(TARGET, { recursive: true, force: true });
  placeDebiansFfmpeg();
  const runner = Runner.in(RUNNER);
  for (const round of ROUNDS) await Promise.all(round.map(job => run(runner, job)));
}
