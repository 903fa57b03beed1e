import { readdir, readFile, writeFile } from 'node:fs/promises'

/** Ticks in a second in which the kernel counts the time of a process. */
const TICKS = 100

async function statusOf(pid: number, name: string): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) * 1024
}

/** The memory that a process holds now, bytes. */
export function readMemory(pid: number): Promise<number> {
  return statusOf(pid, 'VmRSS')
}

/** How much more memory than before a process holds at any time while `work` is done, bytes. */
export async function measureGrowth(pid: number, work: () => Promise<unknown>): Promise<number> {
  // Sets the mark of the most that was ever held back to what is held now.
  await writeFile(`/proc/${pid}/clear_refs`, '5')
  const before = await readMemory(pid)
  await work()
  return (await statusOf(pid, 'VmHWM')) - before
}

/** How much time of a processor a process has used since its start, milliseconds. */
export async function readCpuMs(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS
}

/** How many file descriptors a process has open. */
export async function countDescriptors(pid: number): Promise<number> {
  return (await readdir(`/proc/${pid}/fd`)).length
}
