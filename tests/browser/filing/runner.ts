// What the hooks find in a runner's container: themselves, their settings, /reports.
import fs from 'node:fs';
import path from 'node:path';
import { ROOT } from './places';

export class Runner {
  private constructor(private readonly root: string) {}

  /** Made anew in `root`, which stands for `/`. */
  static in(root: string): Runner {
    const runner = new Runner(root);
    for (const directory of ['reports', 'work', 'run/homelab-runner/status', 'run/homelab-runner/scripts']) {
      fs.mkdirSync(path.join(root, directory), { recursive: true });
    }
    for (const script of ['report.sh', 'job-started.sh', 'job-completed.sh']) {
      fs.copyFileSync(path.join(ROOT, 'src', 'runner', script), path.join(root, 'run/homelab-runner/scripts', script));
    }
    // As install-units writes what holds for the fleet, and the entrypoint the rest.
    const fleet = ['layout={workflow}/{run_id}', 'url=http://127.0.0.1:8089/', 'clean_workspace=1'];
    fs.writeFileSync(path.join(root, 'run/homelab-runner/scripts/reports.conf'), `${fleet.join('\n')}\n`);
    fs.writeFileSync(path.join(root, 'run/homelab-runner/status/hooks'), `work=${runner.work}\0`);
    return runner;
  }

  /** The work folder. */
  get work(): string {
    return path.join(this.root, 'work');
  }

  /** The command of a hook, as GitHub's `ScriptHandler` calls it. */
  hook(which: 'started' | 'completed'): string[] {
    return ['bash', '-e', path.join(this.root, 'run/homelab-runner/scripts', `job-${which}.sh`)];
  }
}
