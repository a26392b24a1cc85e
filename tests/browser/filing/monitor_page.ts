// The monitor's page over a fleet of the integration tests: all of it is the product's own but systemd, GitHub and the kernel's figures.
import { spawn, type ChildProcess } from 'node:child_process';
import { ROOT } from './places';

const TEST = 'monitor::page::serves_the_page_of_a_fleet';

export class MonitorPage {
  private said = '';

  private constructor(private readonly child: ChildProcess) {
    for (const output of [child.stdout!, child.stderr!]) output.on('data', text => (this.said += text));
  }

  /** Returns when an hour of the fleet is over, which takes some seconds, and the page is there. */
  static async start(): Promise<MonitorPage> {
    const child = spawn('cargo', ['test', '--quiet', '--test', 'integration', '--', '--ignored', '--exact', TEST, '--nocapture'], { cwd: ROOT, stdio: 'pipe' });
    const page = new MonitorPage(child);
    await page.until(() => /http:\/\/\S+\/\n/.test(page.said));
    return page;
  }

  get address(): string {
    return /http:\/\/\S+(?=\/\n)/.exec(this.said)![0];
  }

  /** Something happens to a runner; returns when it has. */
  async does(command: `${'busy' | 'idle' | 'fail'} ${number}`): Promise<void> {
    const times = () => this.said.split(`done: ${command}\n`).length;
    const before = times();
    this.child.stdin!.write(`${command}\n`);
    await this.until(() => times() > before);
  }

  private async until(isSo: () => boolean): Promise<void> {
    await new Promise<void>((done, failed) => {
      const look = () => isSo() && done();
      this.child.on('error', failed);
      this.child.on('exit', status => failed(new Error(`the fleet ended (${status}): ${this.said}`)));
      this.child.stdout!.on('data', look);
      look();
    });
  }

  async stop(): Promise<void> {
    const ended = new Promise(done => this.child.on('exit', done));
    this.child.stdin!.end();
    await ended;
  }
}
