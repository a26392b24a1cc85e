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
    // As the entrypoint writes them.
    const settings = { layout: '{workflow}/{run_id}', url: 'http://127.0.0.1:8089/', work: runner.work, clean_workspace: '1' };
    const text = Object.entries(settings).map(([name, value]) => `${name}=${value}\0`);
    fs.writeFileSync(path.join(root, 'run/homelab-runner/status/hooks'), text.join(''));
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
