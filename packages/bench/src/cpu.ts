import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'

let millisecondsPerTick: number | undefined

/** Processor time that these processes have used so far, all their threads together, milliseconds. */
export function readCpuMs(pids: readonly number[]): number {
  millisecondsPerTick ??= 1000 / Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }))
  let ticks = 0
  for (const pid of pids) {
    const fields = statFields(readFileSync(`/proc/${pid}/stat`, 'latin1'))
    ticks += Number(fields[11]) + Number(fields[12]) // utime and stime
  }
  return ticks * millisecondsPerTick
}

/** Memory of these processes that is in RAM, KiB; what they share counts for each of them. */
export function readMemoryKiB(pids: readonly number[]): number {
  let sum = 0
  for (const pid of pids) sum += Number(/^VmRSS:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1])
  return sum
}

/** The process and those that it has started. */
export function withChildren(pid: number): readonly number[] {
  const children = readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .filter(name => parentOf(name) === pid)
  return [pid, ...children.map(Number)]
}

function parentOf(pid: string): number | undefined {
  try {
    return Number(statFields(readFileSync(`/proc/${pid}/stat`, 'latin1'))[1])
  } catch {
    return undefined // it has ended since its name was read
  }
}

/** What follows the name of the program, which stands in parentheses and may have any character in it. */
function statFields(stat: string): readonly string[] {
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
}

/** How many files and sockets a process may have open at most. */
export function readFileLimit(): number {
  return Number(/^Max open files\s+\d+\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1] ?? 1024)
}
