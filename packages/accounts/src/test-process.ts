import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Readable } from 'node:stream'

type Process = ChildProcess & { readonly stdout: Readable }

/** For tests: processes that run one script, and start quickly after the first. */
export interface Script {
  start(...args: readonly string[]): Process
  /** Starts one, kills it as soon as it has written `count` characters, and waits for its end. */
  startAndKill(count: number, ...args: readonly string[]): Promise<void>
}

/** @param folder where to keep what makes them start quickly */
export async function prepareScript(source: string, folder: string): Promise<Script> {
  const run = (...args: readonly string[]): Process =>
    spawn(process.execPath, ['--input-type=module', '--eval', source, ...args], {
      env: { ...process.env, NODE_COMPILE_CACHE: join(folder, 'compile-cache') },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
  // The cache is written by a process that ends by itself: this one, as it finds no arguments.
  const first = run()
  first.stdout.resume()
  await once(first, 'exit')
  return {
    start: run,
    async startAndKill(count, ...args) {
      const running = run(...args)
      const exit = once(running, 'exit')
      let written = 0
      for await (const piece of running.stdout) {
        written += (piece as Buffer).length
        if (written >= count) break
      }
      running.kill('SIGKILL')
      await exit
      if (written < count) throw new Error('The process ended by itself.')
    },
  }
}

/** The same 100 times, two at a time. */
export async function repeat(round: (index: number) => Promise<void>): Promise<void> {
  const lanes = [0, 1].map(async lane => {
    for (let index = lane; index < 100; index += 2) await round(index)
  })
  await Promise.all(lanes)
}
