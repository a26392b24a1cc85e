// A workflow job as GitHub's runner does it: the started hook, the workflow's steps with what the hook left in $GITHUB_ENV, the completed hook.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { BROWSERS, HERE } from './places';
import type { Runner } from './runner';

export type WorkflowJob = {
  workflow: string;
  runId: number;
  attempt: number;
  job: string;
  runner: string;
  /** The project below `tests/browser` that is checked out. */
  project: string;
  /** Arguments of `npx playwright test`. */
  arguments: string[];
  /** What the workflow's own `env:` says. */
  env?: Record<string, string>;
  /** Further files, which a step writes beside the reports. */
  files?: Record<string, string>;
};

type Environment = Record<string, string | undefined>;

/** Runs it to its end; the report's directory. Tests that fail are no failure of the job's. */
export async function run(runner: Runner, job: WorkflowJob): Promise<string> {
  const place = fs.mkdtempSync(path.join(runner.work, 'job-'));
  const workspace = path.join(place, 'workspace');
  // `actions/checkout` and `npm ci`.
  fs.cpSync(path.join(HERE, job.project), workspace, { recursive: true, filter: name => !/node_modules|test-results/.test(name) });
  const modules = [path.join(HERE, job.project, 'node_modules'), path.join(HERE, 'node_modules')];
  fs.symlinkSync(modules.find(directory => fs.existsSync(path.join(directory, '@playwright')))!, path.join(workspace, 'node_modules'));
  const github = worker(place, workspace, job);
  await succeeds('started hook', runner.hook('started'), workspace, github);
  const env = { ...github, ...job.env, ...told(github.GITHUB_ENV!) };
  const report = env.RUNNERCTL_REPORT_DIR!;
  const playwright = path.join(workspace, 'node_modules', '@playwright', 'test', 'cli.js');
  const ended = await ends(['node', playwright, 'test', ...job.arguments], workspace, env);
  if (ended.status !== 0 && ended.status !== 1) throw new Error(`playwright test: ${ended.status}\n${ended.output}`);
  for (const [name, text] of Object.entries(job.files ?? {})) {
    fs.mkdirSync(path.dirname(path.join(report, name)), { recursive: true });
    fs.writeFileSync(path.join(report, name), text);
  }
  await succeeds('completed hook', runner.hook('completed'), workspace, env);
  return report;
}

/** The environment of `Runner.Worker`'s hooks. */
function worker(place: string, workspace: string, job: WorkflowJob): Environment {
  const file = (name: string) => {
    fs.writeFileSync(path.join(place, name), '');
    return path.join(place, name);
  };
  fs.mkdirSync(path.join(place, 'temp'));
  return {
    PATH: process.env.PATH,
    HOME: place,
    CI: 'true',
    GITHUB_ACTIONS: 'true',
    GITHUB_ENV: file('env'),
    GITHUB_PATH: file('path'),
    GITHUB_OUTPUT: file('output'),
    GITHUB_STEP_SUMMARY: file('summary'),
    GITHUB_WORKSPACE: workspace,
    GITHUB_REPOSITORY: 'acme/shop',
    GITHUB_WORKFLOW: job.workflow,
    GITHUB_RUN_ID: String(job.runId),
    GITHUB_RUN_NUMBER: '7',
    GITHUB_RUN_ATTEMPT: String(job.attempt),
    GITHUB_JOB: job.job,
    GITHUB_REF: 'refs/heads/main',
    GITHUB_SHA: '8f2c1d0e5b7a49368f2c1d0e5b7a49368f2c1d0e',
    GITHUB_ACTOR: 'someone',
    GITHUB_EVENT_NAME: 'push',
    GITHUB_SERVER_URL: 'https://github.com',
    RUNNER_NAME: job.runner,
    RUNNER_OS: 'Linux',
    RUNNER_ARCH: 'X64',
    RUNNER_TEMP: path.join(place, 'temp'),
    RUNNER_WORKSPACE: place,
    // This host's, as the image of a runner would have them.
    PLAYWRIGHT_BROWSERS_PATH: BROWSERS,
  };
}

/** What stands in $GITHUB_ENV: `NAME=value`, and values of several lines between `NAME<<END` and `END`. */
export function told(file: string): Record<string, string> {
  const found: Record<string, string> = {};
  const lines = fs.readFileSync(file, 'utf8').split('\n');
  while (lines.length > 0) {
    const line = lines.shift()!;
    const [, name, end] = /^([^=]+?)<<(.+)$/.exec(line) ?? [];
    if (name) {
      const upTo = lines.indexOf(end!);
      if (upTo < 0) throw new Error(`${name} in $GITHUB_ENV has no end`);
      found[name] = lines.splice(0, upTo + 1).slice(0, -1).join('\n');
    } else if (line.includes('=')) {
      found[line.slice(0, line.indexOf('='))] = line.slice(line.indexOf('=') + 1);
    } else if (line !== '') {
      throw new Error(`$GITHUB_ENV has a line that the runner refuses: ${line}`);
    }
  }
  return found;
}

async function succeeds(what: string, command: string[], directory: string, env: Environment): Promise<void> {
  const ended = await ends(command, directory, env);
  if (ended.status !== 0) throw new Error(`${what}: ${ended.status}\n${ended.output}`);
}

function ends([program, ...rest]: string[], directory: string, env: Environment): Promise<{ status: number | null; output: string }> {
  return new Promise((done, failed) => {
    const child = spawn(program!, rest, { cwd: directory, env: env as NodeJS.ProcessEnv, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', text => (output += text));
    child.on('error', failed);
    child.on('close', status => done({ status, output }));
  });
}
