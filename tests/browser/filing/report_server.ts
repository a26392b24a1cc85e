// `runnerctl reports serve`, as a process.
import { spawn, type ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { ROOT } from './places';

export class ReportServer {
  private constructor(private readonly child: ChildProcess, readonly port: number) {}

  /** Shows `directory`; returns when it listens. */
  static async start(directory: string): Promise<ReportServer> {
    const program = path.join(ROOT, 'target', 'debug', 'runnerctl');
    const child = spawn(program, ['reports', 'serve', '--listen', '127.0.0.1:0', '--directory', directory], { stdio: ['ignore', 'ignore', 'pipe'] });
    const port = await new Promise<number>((done, failed) => {
      let said = '';
      child.on('error', failed);
      child.on('exit', status => failed(new Error(`reports serve ended (${status}): ${said}`)));
      child.stderr.on('data', text => {
        said += text;
        const found = /:(\d+)\/\n/.exec(said);
        if (found) done(Number(found[1]));
      });
    });
    return new ReportServer(child, port);
  }

  /** The kernel's high-water mark of its memory. */
  mebibytes(): number {
    const status = fs.readFileSync(`/proc/${this.child.pid}/status`, 'utf8');
    return Number(/VmHWM:\s+(\d+)/.exec(status)![1]) / 1024;
  }

  stop(): void {
    this.child.kill();
  }
}
